/** Power cuts in and after the commands of parallel workers: what was promised must hold when the power is back. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chance, chance, pauseMs } from './support/chance.ts';
import { DISK_TOOLS, openVault, type Vault } from './support/disks.ts';
import { type FileSystem, LONGER, lacking } from './support/needs.ts';
import { ParallelWorld, type Promised } from './support/parallel-world.ts';

const FILE_SYSTEMS: readonly FileSystem[] = ['ext4', 'xfs', 'btrfs'];
const ROUNDS = 3 * LONGER;
const RUN_JOBS = 30;
/** A cut in the middle of a run comes at most so long after its start. */
const LONGEST_RUN_MS = 200;

type Scenario = {
  readonly name: string;
  readonly rounds: number;
  /** Before this everything is synced, so that only what `act` does is at stake. */
  readonly arrange: (world: ParallelWorld) => void;
  readonly act: (world: ParallelWorld, random: Chance) => Promise<Promised>;
};

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'after init and add',
    rounds: ROUNDS,
    arrange: () => {},
    act: async (world, random) => {
      world.initialise();
      world.addSome(random.between(1, 4));
      return cut(world);
    },
  },
  {
    name: 'after add of many together',
    rounds: ROUNDS,
    arrange: (world) => world.initialise(),
    act: async (world, random) => {
      world.addTogether('a', random.between(1, 40));
      world.addTogether('', random.between(1, 40));
      return cut(world);
    },
  },
  {
    name: 'after work',
    rounds: 2 * ROUNDS,
    arrange: (world) => {
      world.initialise();
      world.addSome(8);
      world.add('', 'bad');
    },
    act: async (world, random) => {
      world.work('--max-jobs', String(random.between(1, 9)));
      return cut(world);
    },
  },
  {
    name: 'after work of one job without a lane',
    rounds: ROUNDS,
    arrange: (world) => {
      world.initialise();
      world.add('');
    },
    act: async (world) => {
      world.work();
      return cut(world);
    },
  },
  {
    name: 'after work that passes over what fails in a lane',
    rounds: ROUNDS,
    arrange: (world) => {
      world.initialise();
      for (const what of ['', 'bad', '', 'bad']) world.add('a', what);
    },
    act: async (world, random) => {
      world.work('--blocked', 'skip', '--max-jobs', String(random.between(1, 4)));
      return cut(world);
    },
  },
  {
    name: `while work runs ${RUN_JOBS} jobs`,
    rounds: 2 * ROUNDS,
    arrange: (world) => {
      world.initialise();
      world.addTogether('a', RUN_JOBS / 3);
      world.addTogether('b', RUN_JOBS / 3);
      world.addTogether('', RUN_JOBS / 3);
    },
    act: async (world, random) => {
      const running = world.workBeside();
      await pauseMs(random.between(10, LONGEST_RUN_MS));
      const promised = cut(world);
      running.kill();
      await running.ended;
      return promised;
    },
  },
];

function cut(world: ParallelWorld): Promised {
  const { promised } = world;
  world.disk.cutPower();
  return promised;
}

const reason = lacking({ tools: [...DISK_TOOLS], mounts: true });

describe.skipIf(reason !== undefined)(
  `power cuts of parallel workers${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const random = chance();
    let vault: Vault;
    let played = 0;

    beforeAll(() => {
      vault = openVault();
    });

    afterAll(() => vault.remove());

    it.each(FILE_SYSTEMS)(
      '%s: what was promised is there when the power is back',
      { timeout: 300_000 * LONGER },
      async (fileSystem) => {
        const disk = vault.disk(fileSystem);
        let cuts = 0;
        const problems: string[] = [];
        for (const scenario of SCENARIOS) {
          for (let left = scenario.rounds; left > 0; left--) {
            const world = new ParallelWorld(disk, vault.notes, String(played++), random);
            scenario.arrange(world);
            disk.sync();
            const promised = await scenario.act(world, random);
            await disk.restart();
            problems.push(...world.problems(promised).map((problem) => `${scenario.name}: ${problem}`));
            cuts += 1;
          }
        }
        await disk.remove();
        console.log(
          `power cuts of parallel workers, ${fileSystem}: ${cuts} cuts, ${problems.length} problems`,
        );
        expect(problems, `seed ${random.seed}`).toEqual([]);
        expect(cuts).toBeGreaterThanOrEqual(20);
      },
    );
  },
);

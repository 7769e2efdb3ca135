/**
 * Power cuts, in commands and just after they have returned. What a command promised by its exit status 0 must hold
 * when the power is back. The original goes through the same, to show that this test can see a loss.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chance, chance, pauseMs } from './support/chance.ts';
import { ORIGINAL, OURS, type Program } from './support/commands.ts';
import { DISK_TOOLS, type Disk, openVault, type Vault } from './support/disks.ts';
import { type FileSystem, LONGER, lacking } from './support/needs.ts';
import { PowerWorld, type Problem, type Promised } from './support/power-world.ts';

const FILE_SYSTEMS: readonly FileSystem[] = ['ext4', 'xfs', 'btrfs'];

/** How often each scenario is played on each file system. */
const ROUNDS = 3 * LONGER;

/** Jobs for a cut in the middle of a run. */
const RUN_JOBS = 30;
const MIDDLE_ROUNDS = 5 * LONGER;

/** A cut in the middle comes at most so long after the run's start. */
const LONGEST_RUN_MS = 150;

type Scenario = {
  readonly name: string;
  readonly rounds: number;
  readonly only?: Program;
  /** Before this everything is synced, so that only what `act` does is at stake. */
  readonly arrange: (world: PowerWorld) => void;
  /** Does something, cuts the power, and returns what had been promised at that moment. */
  readonly act: (world: PowerWorld, random: Chance) => Promise<Promised>;
};

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'after queue-write',
    rounds: 2 * ROUNDS,
    arrange: (world) => world.initialise(),
    act: async (world, random) => {
      for (let left = random.between(1, 3); left > 0; left--) world.addThroughPipe();
      return cut(world);
    },
  },
  {
    name: 'after add of the library',
    rounds: ROUNDS,
    only: OURS,
    arrange: (world) => world.initialise(),
    act: async (world, random) => {
      world.addWithLibrary(random.between(1, 3));
      return cut(world);
    },
  },
  {
    name: 'after queue-process',
    rounds: 2 * ROUNDS,
    arrange: (world) => {
      world.initialise();
      for (let left = 4; left > 0; left--) world.addThroughPipe();
    },
    act: async (world, random) => {
      world.processSome(random.between(1, 4));
      return cut(world);
    },
  },
  {
    name: 'after prepare',
    rounds: ROUNDS,
    arrange: (world) => {
      world.initialise();
      world.takeNumber();
    },
    act: async (world, random) => {
      for (let left = random.between(1, 3); left > 0; left--) world.takeNumber();
      return cut(world);
    },
  },
  {
    name: 'after prepare-set-next and queue-set-next',
    rounds: ROUNDS,
    arrange: (world) => {
      world.initialise();
      world.takeNumber();
    },
    act: async (world, random) => {
      world.setSenderNumber(random.between(10, 99));
      world.setQueueNumber(random.between(10, 99));
      return cut(world);
    },
  },
  {
    name: 'after queue-init',
    rounds: ROUNDS,
    arrange: () => {},
    act: async (world) => {
      world.initialise();
      return cut(world);
    },
  },
  {
    name: `while queue-process runs ${RUN_JOBS} jobs`,
    rounds: MIDDLE_ROUNDS,
    arrange: (world) => {
      world.initialise();
      if (world.isOriginal) for (let left = RUN_JOBS; left > 0; left--) world.addThroughPipe();
      else world.addWithLibrary(RUN_JOBS);
    },
    act: async (world, random) => {
      const running = world.processBeside();
      await pauseMs(random.between(10, LONGEST_RUN_MS));
      const promised = cut(world);
      running.kill();
      await running.ended;
      return promised;
    },
  },
  {
    name: 'while prepare | queue-write runs again and again',
    rounds: MIDDLE_ROUNDS,
    arrange: (world) => world.initialise(),
    act: async (world, random) => {
      let kill = () => {};
      let over = false;
      const adding = (async () => {
        while (!over) {
          await world.addBeside((running) => {
            kill = running.kill;
          });
        }
      })();
      await pauseMs(random.between(10, LONGEST_RUN_MS));
      const promised = cut(world);
      over = true;
      kill();
      await adding;
      return promised;
    },
  },
];

function cut(world: PowerWorld): Promised {
  const { promised } = world;
  world.disk.cutPower();
  return promised;
}

type Row = { readonly fileSystem: FileSystem; readonly program: string; readonly scenario: string } & Tally;
type Tally = { cuts: number; withLoss: number; problems: Partial<Record<Problem, number>> };

const reason = lacking({ tools: [...DISK_TOOLS, 'bash', ORIGINAL.path], mounts: true });

describe.skipIf(reason !== undefined)(`power cuts${reason === undefined ? '' : ` (${reason})`}`, () => {
  const random = chance();
  const rows: Row[] = [];
  let vault: Vault;
  let played = 0;

  beforeAll(() => {
    vault = openVault();
  });

  afterAll(async () => {
    print(random.seed, rows);
    await vault.remove();
  });

  async function play(program: Program, fileSystem: FileSystem): Promise<Tally> {
    const disk = vault.disk(fileSystem);
    const total: Tally = { cuts: 0, withLoss: 0, problems: {} };
    for (const scenario of SCENARIOS) {
      if (scenario.only !== undefined && scenario.only !== program) continue;
      const row: Tally = { cuts: 0, withLoss: 0, problems: {} };
      for (let left = scenario.rounds; left > 0; left--) {
        const problems = await playOnce(program, disk, scenario);
        for (const tally of [row, total]) count(tally, problems);
      }
      rows.push({ fileSystem, program: program.name, scenario: scenario.name, ...row });
    }
    await disk.remove();
    return total;
  }

  async function playOnce(program: Program, disk: Disk, scenario: Scenario): Promise<Problem[]> {
    const world = new PowerWorld(program, disk, vault.notes, String(played++), random);
    scenario.arrange(world);
    disk.sync();
    const promised = await scenario.act(world, random);
    await disk.restart();
    return world.problems(promised);
  }

  const TIME_LIMIT_MS = 300_000 * LONGER;

  it.each(FILE_SYSTEMS)(
    '%s: what was promised is there when the power is back',
    { timeout: TIME_LIMIT_MS },
    async (fileSystem) => {
      const total = await play(OURS, fileSystem);
      expect(total.problems, `seed ${random.seed}`).toEqual({});
      expect(total.cuts).toBeGreaterThanOrEqual(20);
    },
  );

  it('the original loses something, so a loss would be seen', { timeout: TIME_LIMIT_MS * 3 }, async () => {
    let withLoss = 0;
    for (const fileSystem of FILE_SYSTEMS) withLoss += (await play(ORIGINAL, fileSystem)).withLoss;
    expect(withLoss).toBeGreaterThan(0);
  });
});

function count(tally: Tally, problems: readonly Problem[]): void {
  tally.cuts += 1;
  if (problems.length > 0) tally.withLoss += 1;
  for (const problem of new Set(problems)) tally.problems[problem] = (tally.problems[problem] ?? 0) + 1;
}

function print(seed: number, rows: readonly Row[]): void {
  const lines = rows.map(({ fileSystem, program, scenario, cuts, withLoss, problems }) => {
    const kinds = Object.entries(problems).map(([problem, times]) => `${problem} ${times}`);
    const numbers = `${String(cuts).padStart(5)} cuts ${String(withLoss).padStart(4)} with loss`;
    return `  ${program.padEnd(12)}${fileSystem.padEnd(6)}${scenario.padEnd(50)}${numbers}  ${kinds.join(', ')}`;
  });
  console.log(`power cuts, seed ${seed}\n${lines.join('\n')}`);
}

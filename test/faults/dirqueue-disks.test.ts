/** Queues of IPC::DirQueue on disks whose power is cut, and on one that is full: what was promised must hold afterwards. */

import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDirQueue, type DirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { filesIn } from '../support/dirqueues.ts';
import { useTemporary } from '../support/temporary.ts';
import { type Chance, chance, pauseMs } from './support/chance.ts';
import { DISK_TOOLS, fillDisk, mountSmall, openVault, type Vault } from './support/disks.ts';
import { type FileSystem, LONGER, lacking } from './support/needs.ts';

const FILE_SYSTEMS: readonly FileSystem[] = ['ext4', 'xfs', 'btrfs'];
const ROUNDS = 2 * LONGER;
/** A cut in the middle of adding and working comes at most so long after its start. */
const LONGEST_RUN_MS = 150;
const FULL_DISK_MIB = 8;

/** Jobs by their payloads, as far as they have been promised anything. */
type Promised = {
  readonly accepted: Set<string>;
  readonly finishing: Set<string>;
  readonly finished: Set<string>;
};

class World {
  readonly queue: DirQueue;
  readonly promised: Promised = { accepted: new Set(), finishing: new Set(), finished: new Set() };
  #made = 0;

  constructor(queue: DirQueue) {
    this.queue = queue;
  }

  #payload(): string {
    return `job ${this.#made++} `.padEnd(100 * (this.#made % 7) + 20, 'x');
  }

  async add(): Promise<void> {
    const payload = this.#payload();
    await this.queue.add({ payload: this.#made % 2 === 0 ? payload : [payload] });
    this.promised.accepted.add(payload);
  }

  async addTogether(count: number): Promise<void> {
    const payloads = Array.from({ length: count }, () => this.#payload());
    await this.queue.addAll(payloads.map((payload) => ({ payload })));
    for (const payload of payloads) this.promised.accepted.add(payload);
  }

  /** `onLast` is called when the last job is finished, before anything else is synced. */
  async work(most: number, onLast = () => {}, signal = new AbortController().signal): Promise<void> {
    let left = most;
    for await (const job of this.queue.take({ wait: false, signal })) {
      const payload = await job.text();
      this.promised.finishing.add(payload);
      await job.finish();
      this.promised.finished.add(payload);
      left -= 1;
      if (left > 0) continue;
      onLast();
      return;
    }
  }
}

type Scenario = {
  readonly name: string;
  /** Before this everything is synced, so that only what `act` does is at stake. */
  readonly arrange?: (world: World) => Promise<void>;
  /** Cuts the power, and ends what is still going on. */
  readonly act: (world: World, random: Chance, cut: () => void) => Promise<void>;
};

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'after adds, one by one and overlapping',
    act: async (world, random, cut) => {
      for (let left = random.between(0, 2); left > 0; left--) await world.add();
      await Promise.all(Array.from({ length: random.between(1, 12) }, () => world.add()));
      cut();
    },
  },
  {
    name: 'after an add of many together',
    act: async (world, random, cut) => {
      await world.addTogether(random.between(1, 40));
      cut();
    },
  },
  {
    name: 'after jobs have been finished',
    arrange: (world) => world.addTogether(8),
    act: async (world, random, cut) => {
      await world.work(random.between(1, 8), cut);
    },
  },
  {
    name: 'while jobs are added and finished',
    arrange: (world) => world.addTogether(20),
    act: async (world, random, cut) => {
      const stop = new AbortController();
      const adding = async () => {
        while (!stop.signal.aborted) await world.add();
      };
      const busy = [adding(), adding(), adding(), world.work(1000, () => {}, stop.signal)];
      await pauseMs(random.between(5, LONGEST_RUN_MS));
      cut();
      stop.abort();
      await Promise.all(busy);
    },
  },
];

/** What of it does not hold when the power is back. */
async function broken(path: string, { accepted, finishing, finished }: Promised): Promise<string[]> {
  const queue = await openDirQueue(realMachine, path);
  const problems = (await queue.jobs()).unreadable.map(({ message }) => `damaged: ${message}`);
  const there = new Set<string>();
  for await (const job of queue.take({ wait: false })) {
    const payload = await job.text();
    there.add(payload);
    if (finished.has(payload)) problems.push(`finished, and runs again: ${payload}`);
    await job.finish();
  }
  for (const payload of accepted) {
    if (!there.has(payload) && !finishing.has(payload)) problems.push(`lost: ${payload}`);
  }
  return problems;
}

function copyOf({ accepted, finishing, finished }: Promised): Promised {
  return { accepted: new Set(accepted), finishing: new Set(finishing), finished: new Set(finished) };
}

const noDisks = lacking({ tools: [...DISK_TOOLS], mounts: true });

describe.skipIf(noDisks !== undefined)(`power cuts${noDisks === undefined ? '' : ` (${noDisks})`}`, () => {
  const random = chance();
  let vault: Vault;
  let played = 0;

  beforeAll(() => {
    vault = openVault();
  });

  afterAll(() => vault.remove());

  it.each(FILE_SYSTEMS)('%s', { timeout: 60_000 * LONGER }, async (fileSystem) => {
    const disk = vault.disk(fileSystem);
    const problems: string[] = [];
    let cuts = 0;
    for (const { name, arrange = async () => {}, act } of SCENARIOS) {
      for (let left = ROUNDS; left > 0; left--) {
        const path = `${disk.mountPoint}/queue-${played++}`;
        const world = new World(await createDirQueue(realMachine, path));
        await arrange(world);
        disk.sync();
        let promised: Promised = world.promised;
        await act(world, random, () => {
          promised = copyOf(world.promised);
          disk.cutPower();
        });
        await disk.restart();
        problems.push(...(await broken(path, promised)).map((problem) => `${name}: ${problem}`));
        cuts += 1;
      }
    }
    await disk.remove();
    console.log(`power cuts of IPC::DirQueue, ${fileSystem}: ${cuts} cuts, ${problems.length} problems`);
    expect(problems, `seed ${random.seed}`).toEqual([]);
    expect(cuts).toBe(SCENARIOS.length * ROUNDS);
  });
});

const noMount = lacking({ tools: ['mount', 'umount', 'mkfs.ext4'], mounts: true });
const temporary = useTemporary();

describe.skipIf(noMount !== undefined)(`a full disk${noMount === undefined ? '' : ` (${noMount})`}`, () => {
  it('refuses what it cannot hold, leaves nothing half, and lets what is there be done', async () => {
    const disk = temporary.path('disk');
    const takeAway = mountSmall(temporary.path(), disk, FULL_DISK_MIB);
    try {
      const path = `${disk}/queue`;
      const queue = await createDirQueue(realMachine, path);
      await queue.addAll(['a', 'b', 'c'].map((payload) => ({ payload })));
      const session = await queue.join();
      const before = filesIn(path);
      fillDisk(`${disk}/ballast`);
      const large = 'x'.repeat(100_000);
      for (const payload of [large, [large]]) {
        await expect(queue.add({ payload })).rejects.toMatchObject({ code: 'ENOSPC' });
        await expect(queue.addAll([{ payload: '' }, { payload }])).rejects.toMatchObject({ code: 'ENOSPC' });
      }
      expect(filesIn(path)).toEqual(before);
      const first = await session.claim();
      if (first.kind !== 'claim') throw new Error(first.reason);
      // What cannot be noted is not done, and can be tried again.
      await expect(first.retry(0, 'again')).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(await first.release()).toBe('settled');
      for (let claim = await session.claim(); claim.kind === 'claim'; claim = await session.claim()) {
        expect(await claim.succeed()).toBe('settled');
      }
      await session.close();
      rmSync(`${disk}/ballast`);
      await queue.add({ payload: large });
      expect((await queue.jobs()).jobs).toHaveLength(1);
    } finally {
      await takeAway();
    }
  });
});

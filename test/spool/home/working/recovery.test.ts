import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../../../src/os/ports.ts';
import { realMachine } from '../../../../src/os/real/index.ts';
import { LAST_SEQUENCE } from '../../../../src/packet/header.ts';
import type { Queue } from '../../../../src/queue/contract.ts';
import { parseJobName } from '../../../../src/spool/home/job-name.ts';
import { enterRoom, type WorkerRoom } from '../../../../src/spool/home/own-room.ts';
import { Look } from '../../../../src/spool/home/working/look.ts';
import { bringBackTheDead, type Recoverer } from '../../../../src/spool/home/working/recovery.ts';
import { WaitingJobs } from '../../../../src/spool/home/working/waiting.ts';
import { failEachCall, systemError } from '../../../support/faulty-files.ts';
import { homeQueue, namesIn, runningIn, runsOf } from '../../../support/home.ts';
import { interceptFiles } from '../../../support/intercepted-files.ts';
import { machineWithFiles } from '../../../support/machines.ts';
import { packet } from '../../../support/packets.ts';
import { recordingFiles } from '../../../support/recording-files.ts';
import { useTemporary } from '../../../support/temporary.ts';

const temporary = useTemporary();
const LEASE_MS = 60_000;
let queue: Queue;
let own: WorkerRoom;
const name = (number: number, lane = '', held = '') =>
  `fspl-50.1763728496123.${held}0.1.${number}.${lane}.stem${number}.fspl`;

beforeEach(async () => {
  queue = await homeQueue(temporary.path('queue'));
  own = await enterRoom(realMachine, queue.location, LEASE_MS);
  return () => own.leave();
});

/** A worker that was killed while it ran these. */
async function deadRoom(...jobs: string[]): Promise<WorkerRoom> {
  const room = await enterRoom(realMachine, queue.location, LEASE_MS);
  for (const job of jobs) writeFileSync(`${room.path}/${job}`, job);
  await realMachine.locks.unlock(room.lock);
  await realMachine.files.close(room.lock);
  return room;
}

function recoverer(machine: Machine, by = own, keepSucceeded = false): Recoverer {
  const options = { order: 'free', decoder: undefined } as const;
  const look = new Look(machine, queue.location, options, new WaitingJobs());
  return { own: by, keepSucceeded, whatIs: (directory, job) => look.whatIs(directory, job) };
}

const recover = (machine: Machine = realMachine, by?: WorkerRoom, keepSucceeded?: boolean) =>
  bringBackTheDead(machine, queue.location, recoverer(machine, by, keepSucceeded));

describe('recovery', () => {
  it('brings back what dead workers ran, with that start counted, and removes their rooms', async () => {
    await deadRoom(name(1), name(2));
    await deadRoom(name(3));
    await deadRoom();
    expect(await recover()).toBe(3);
    expect(namesIn(queue, 'jobs')).toEqual([name(1), name(2), name(3)]);
    expect(parseJobName(name(1))?.attempts).toBe(1);
    expect(namesIn(queue, 'work')).toEqual([own.name]);
    expect(await recover()).toBe(0);
  });

  it('says so in the log of each job, once', async () => {
    const { name: worker } = await deadRoom(name(1));
    const ended = expect.stringMatching(/^\d{4}-/);
    const files = interceptFiles(realMachine.files, ({ name: call, path }) => {
      if (call === 'rename' && path.endsWith(name(1))) throw systemError('EIO', 'rename', path);
    });
    await expect(recover(machineWithFiles(files))).rejects.toMatchObject({ code: 'EIO' });
    await recover();
    expect(runsOf(queue, 'stem1')).toEqual([{ attempt: 1, outcome: 'died', worker, ended }]);
  });

  it('says nothing in the log of a job that was not started, or whose end its worker has told', async () => {
    const unstarted = 'fspl-50.1763728496123.0.0.1..unstarted.fspl';
    writeFileSync(`${queue.location}/log/stem2.jsonl`, '{"attempt":1,"outcome":"retry"}\n');
    await deadRoom(unstarted, name(2));
    await recover();
    expect(namesIn(queue, 'log')).toEqual(['stem2.jsonl']);
    expect(runsOf(queue, 'stem2')).toHaveLength(1);
    expect(namesIn(queue, 'jobs')).toHaveLength(2);
  });

  it('brings them back though their logs cannot be written', async () => {
    await deadRoom(name(1));
    const files = interceptFiles(realMachine.files, ({ name: call, path }) => {
      if (call === 'open' && path.includes('/log/')) throw systemError('ENOSPC', 'open', path);
    });
    expect(await recover(machineWithFiles(files))).toBe(1);
    expect(namesIn(queue, 'jobs')).toEqual([name(1)]);
  });

  it('says so of each start, whatever is known of those before', async () => {
    writeFileSync(`${queue.location}/log/stem1.jsonl`, '{"attempt":7,"outcome":"retry"}\n');
    await deadRoom(name(1));
    await recover();
    expect(runsOf(queue, 'stem1').map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [7, 'retry'],
      [1, 'died'],
    ]);
  });

  it('brings back what nobody can read, under its name', async () => {
    const foreign = 'fspl-theirs.fspl';
    await deadRoom(foreign);
    expect(await recover()).toBe(1);
    expect(namesIn(queue, 'jobs')).toEqual([foreign]);
    expect(namesIn(queue, 'log')).toEqual([]);
  });

  it('does not say that it lives where there is nobody else', async () => {
    const file = `${own.path}/worker`;
    utimesSync(file, 1, 1);
    await recover();
    expect(statSync(file).mtimeMs).toBe(1000);
  });

  it('leaves living workers alone, itself too', async () => {
    const other = await enterRoom(realMachine, queue.location, LEASE_MS);
    for (const { path } of [own, other]) writeFileSync(`${path}/${name(1)}`, '');
    expect(await recover()).toBe(0);
    expect(runningIn(queue)).toHaveLength(2);
    for (const { path } of [own, other]) await realMachine.files.unlink(`${path}/${name(1)}`);
    await other.leave();
  });

  it('does nothing once we were taken for dead ourselves', async () => {
    await deadRoom(name(1));
    await realMachine.files.unlink(`${own.path}/worker`);
    expect(await recover()).toBe(0);
    expect(runningIn(queue)).toEqual([name(1)]);
  });

  it("removes what its lane is past, puts it where it belongs, and brings back the lane's next", async () => {
    writeFileSync(`${queue.location}/lanes/a`, '3\n');
    await deadRoom(name(1, 'a'), name(2, 'a', 'h'), name(3, 'a'));
    await recover();
    expect(namesIn(queue, 'jobs')).toEqual([name(3, 'a')]);
    expect(namesIn(queue, 'failed')).toEqual([name(2, 'a')]);
    expect(namesIn(queue, 'done')).toEqual([]);
  });

  it('does so for a lane whose name is too long for that of a file', async () => {
    const lane = 'x'.repeat(100);
    writeFileSync(`${queue.location}/lanes/${lane}`, '3\n');
    const { path } = await deadRoom();
    for (const [number, held] of [
      [1, ''],
      [2, 'h'],
      [3, ''],
    ] as const) {
      const work = { kind: 'command', params: [], env: [['INTRAY_LANE', lane]] } as const;
      writeFileSync(`${path}/${name(number, '%', held)}`, packet({ seq: number, work }));
    }
    await recover();
    expect(namesIn(queue, 'jobs')).toEqual([name(3, '%')]);
    expect(namesIn(queue, 'failed')).toEqual([name(2, '%')]);
  });

  it('knows that the last number comes before 0', async () => {
    const last = `fspl-50.1763728496123.0.1.${LAST_SEQUENCE}.a.last.fspl`;
    writeFileSync(`${queue.location}/lanes/a`, '0\n');
    await deadRoom(last, name(0, 'a'));
    await recover();
    expect(namesIn(queue, 'jobs')).toEqual([name(0, 'a')]);
  });

  it('keeps what had succeeded where such are kept', async () => {
    writeFileSync(`${queue.location}/lanes/a`, '3\n');
    await deadRoom(name(1, 'a'), name(2, 'a', 'h'));
    await recover(realMachine, own, true);
    expect(namesIn(queue, 'done')).toEqual([name(1, 'a')]);
    expect(namesIn(queue, 'failed')).toEqual([name(2, 'a')]);
  });

  it('by two at once brings each job back once', async () => {
    for (let n = 0; n < 10; n++) await deadRoom(...[1, 2, 3].map((job) => name(n * 10 + job)));
    const other = await enterRoom(realMachine, queue.location, LEASE_MS);
    const counts = await Promise.all([
      recover(),
      recover(realMachine, other),
      recover(),
      recover(realMachine, other),
    ]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(namesIn(queue, 'jobs')).toHaveLength(30);
    expect(namesIn(queue, 'work')).toEqual([own.name, other.name].sort());
    await other.leave();
  });

  it('that is interrupted at any call is gone on with by the next', async () => {
    writeFileSync(`${queue.location}/lanes/a`, '5\n');
    let round = 0;
    const calls = await failEachCall(realMachine.files, 'EIO', async (files, failed) => {
      round += 1;
      const jobs = [name(round * 10), name(round * 10 + 1)];
      await deadRoom(...jobs, name(2, 'a'), name(3, 'a', 'h'));
      const outcome = await recover(machineWithFiles(files)).catch((error: unknown) => error);
      if (failed() === undefined) expect(outcome).toBe(4);
      // A room that has lost its file already is taken when it is old.
      for (const room of namesIn(queue, 'work')) utimesSync(`${queue.location}/work/${room}`, 1, 1);
      await recover();
      expect(namesIn(queue, 'work')).toEqual([own.name]);
      expect(namesIn(queue, 'jobs')).toEqual(jobs);
      expect(namesIn(queue, 'failed')).toEqual([name(3, 'a')]);
      for (const job of jobs) await realMachine.files.unlink(`${queue.location}/jobs/${job}`);
    });
    expect(calls).toBeGreaterThan(10);
  });

  it('does not mind a job that its worker, alive after all, settles in that moment', async () => {
    const dead = await deadRoom(name(1), name(2));
    const files = interceptFiles(realMachine.files, ({ name: call, path }) => {
      if (call === 'rename' && path.endsWith(name(1))) throw systemError('ENOENT', 'rename', path);
    });
    await recover(machineWithFiles(files));
    expect(namesIn(queue, 'jobs')).toEqual([name(2)]);
    expect(existsSync(dead.path)).toBe(true);
  });

  it.each(['ENOENT', 'ESTALE'])('does not mind that it has gone: %s', async (code) => {
    await deadRoom(name(1));
    const files = interceptFiles(realMachine.files, ({ name: call, path }) => {
      if (call === 'rename' && path.endsWith(name(1))) throw systemError(code, 'rename', path);
    });
    expect(await recover(machineWithFiles(files))).toBe(1);
  });

  it.each(['rename', 'unlink'])(
    'leaves the room as it is when its job cannot be moved: %s',
    async (failing) => {
      const dead = await deadRoom(name(1));
      const files = interceptFiles(realMachine.files, ({ name: call, path }) => {
        if (call === failing && path.endsWith(name(1))) throw systemError('EIO', call, path);
      });
      await expect(recover(machineWithFiles(files))).rejects.toMatchObject({ code: 'EIO' });
      expect(existsSync(`${dead.path}/worker`)).toBe(true);
      expect(await recover()).toBe(failing === 'rename' ? 1 : 0);
    },
  );

  it('makes last what it puts into another place', async () => {
    writeFileSync(`${queue.location}/lanes/a`, '2\n');
    await deadRoom(name(1, 'a', 'f'));
    const recording = recordingFiles(realMachine.files);
    await recover(machineWithFiles(recording.files));
    expect(recording.told(queue.location, 'fsync')).toContain('fsync failed');
  });

  it('takes an abandoned room, once it is old, and what is in it', async () => {
    const path = `${queue.location}/work/abandoned`;
    mkdirSync(path);
    writeFileSync(`${path}/${name(1)}`, '');
    expect(await recover()).toBe(0);
    utimesSync(path, 1, 1);
    expect(await recover()).toBe(1);
    expect(readdirSync(`${queue.location}/work`)).toEqual([own.name]);
  });

  it.each([
    ['jobs', '', name(1)],
    ['failed', 'f', name(1, 'a')],
    ['done', '', name(1, 'a')],
  ] as const)(
    'of a job that a power cut has left in %s too leaves it there only',
    async (into, held, there) => {
      writeFileSync(`${queue.location}/lanes/a`, '2\n');
      const mine = into === 'jobs' ? name(1) : name(1, 'a', held);
      const { path } = await deadRoom(mine);
      linkSync(`${path}/${mine}`, `${queue.location}/${into}/${there}`);
      await recover(realMachine, own, true);
      expect(namesIn(queue, into)).toEqual([there]);
      expect(namesIn(queue, 'work')).toEqual([own.name]);
    },
  );

  it('changes no byte of a job', async () => {
    await deadRoom(name(1));
    await recover();
    expect(readFileSync(`${queue.location}/jobs/${name(1)}`, 'utf8')).toBe(name(1));
  });
});

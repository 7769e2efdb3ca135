import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createQueue, openQueue, type Queue, work } from '../../src/index.ts';
import type { Child, Descriptor } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import { startWatchdog } from '../../src/worker/watchdog.ts';
import { notedPid, shell, sleepingTree, treePids } from '../support/commands.ts';
import { faultyFiles, systemError } from '../support/faulty-files.ts';
import { machineWith, machineWithFiles } from '../support/machines.ts';
import { eventually, isRunning, openDescriptors, useTemporary } from '../support/temporary.ts';

const { files, locks, processes } = realMachine;
const temporary = useTemporary();

const BUN = fileURLToPath(new URL('../../node_modules/.bin/bun', import.meta.url));
const PROCESSOR = fileURLToPath(new URL('../support/processor.ts', import.meta.url));

function startProcessor(queue: string, script: string): ChildProcess {
  const processor = spawn(BUN, ['--no-install', PROCESSOR, queue, script], { stdio: 'ignore' });
  onTestFinished(() => {
    processor.kill('SIGKILL');
  });
  return processor;
}

async function kill(processor: ChildProcess): Promise<void> {
  const ended = once(processor, 'exit');
  processor.kill('SIGKILL');
  await ended;
}

const isLocked = (error: unknown) => isQueueError(error, 'locked');

/** Waits for the lock of a queue and returns which of the processes are still there when it is free. */
async function aliveWhenFree(queue: Queue, pids: readonly number[]): Promise<number[]> {
  return eventually(async () => {
    const session = await queue.session();
    const alive = pids.filter(isRunning);
    await session.close();
    return alive;
  });
}

describe('a processor that is killed with -9', () => {
  it('takes its command with it, before the queue is free; then the job runs', async () => {
    const path = temporary.path('queue');
    const queue = await createQueue(path);
    await queue.add({ params: ['the job'] });
    const processor = startProcessor(path, sleepingTree(temporary.path('tree')));
    const pids = await treePids(temporary.path('tree'));
    await expect(queue.session()).rejects.toSatisfy(isLocked);
    expect((await queue.jobs()).jobs).toHaveLength(1);
    await kill(processor);
    expect(await aliveWhenFree(queue, pids)).toEqual([]);
    expect((await queue.jobs()).jobs).toHaveLength(1);
    const report = await work(queue, { program: '/bin/true' });
    expect(report).toMatchObject({ succeeded: 1, ended: { kind: 'idle', reason: 'empty' } });
  });

  it('keeps the queue locked for as long as its command tidies up', async () => {
    const path = temporary.path('queue');
    const queue = await createQueue(path);
    await queue.add({});
    const [asked, may] = [temporary.path('asked'), temporary.path('may-end')];
    const tidy = `echo > ${asked}; while [ ! -e ${may} ]; do sleep 0.02; done; exit 0`;
    const script = `trap '${tidy}' TERM; echo $$ > ${temporary.path('pid')}; while :; do sleep 0.02; done`;
    const processor = startProcessor(path, script);
    const pid = await notedPid(temporary.path('pid'));
    await kill(processor);
    await eventually(() => expect(existsSync(asked)).toBe(true));
    expect(isRunning(pid)).toBe(true);
    await expect(queue.session()).rejects.toSatisfy(isLocked);
    await expect(openQueue(path).then((again) => again.session())).rejects.toSatisfy(isLocked);
    writeFileSync(may, '');
    expect(await aliveWhenFree(queue, [pid])).toEqual([]);
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });

  it('frees the queue at once when no command was running', async () => {
    const path = temporary.path('queue');
    const queue = await createQueue(path);
    await queue.add({});
    const processor = startProcessor(path, 'exit 0');
    const [code] = await once(processor, 'exit');
    expect(code).toBe(0);
    await (await queue.session()).close();
    expect((await queue.jobs()).jobs).toEqual([]);
  });
});

/** When a process was started, and how long the machine is up: hundredths of a second since it was started. */
function startTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

function uptimeTicks(): number {
  return Math.floor(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 100);
}

/** A watchdog that guards a command in this process; its end is that of the processor. */
async function guarding(script: string, graceMs?: number, lock?: Descriptor) {
  const watchdog = await startWatchdog(realMachine, lock, graceMs);
  const child = await processes.spawn(shell(script));
  await watchdog.guard(child);
  return { watchdog, child };
}

describe('a watchdog', () => {
  it('ends nothing when nothing is running', async () => {
    const { watchdog, child } = await guarding(`echo $$ > ${temporary.path('pid')}; exec sleep 1000`);
    await watchdog.rest();
    await watchdog.dismiss();
    const pid = await notedPid(temporary.path('pid'));
    expect(isRunning(pid)).toBe(true);
    await child.signalGroup('SIGKILL');
    await child.exit;
  });

  it('ends what it guards last, not what it guarded before', async () => {
    const { watchdog, child: before } = await guarding(`echo $$ > ${temporary.path('pid')}; exec sleep 1000`);
    const child = await processes.spawn(shell('exec sleep 1000'));
    await watchdog.guard(child);
    await watchdog.dismiss();
    expect(await child.exit).toEqual({ kind: 'signaled', signal: 15 });
    expect(isRunning(await notedPid(temporary.path('pid')))).toBe(true);
    await before.signalGroup('SIGKILL');
    await before.exit;
  });

  it('finds a command that was started and not yet noted, and nothing else', async () => {
    const older = await processes.spawn(shell('exec sleep 1000'));
    await eventually(() => expect(uptimeTicks()).toBeGreaterThan(startTicks(older.pid)));
    const watchdog = await startWatchdog(realMachine);
    const member = await processes.spawn({ ...shell('exec sleep 1000'), group: 'ours' });
    await watchdog.starting();
    const child = await processes.spawn(shell('sleep 1000 & wait'));
    await watchdog.dismiss();
    expect(await child.exit).toEqual({ kind: 'signaled', signal: 15 });
    expect([isRunning(older.pid), isRunning(member.pid)]).toEqual([true, true]);
    for (const other of [older, member]) {
      await other.signalGroup('SIGKILL');
      await other.exit;
    }
  });

  it('finds it among others that have lost their processor too, and spares their watchdogs', async () => {
    const [one, other] = [await startWatchdog(realMachine), await startWatchdog(realMachine)];
    await one.starting();
    const children = [];
    for (let n = 0; n < 4; n++) children.push(await processes.spawn(shell('sleep 1000 & wait')));
    await one.dismiss();
    for (const child of children) expect(await child.exit).toEqual({ kind: 'signaled', signal: 15 });
    const later = await processes.spawn(shell('exec sleep 1000'));
    await other.guard(later);
    await other.dismiss();
    expect(await later.exit).toEqual({ kind: 'signaled', signal: 15 });
  });

  it('spares another watchdog even when it has to kill', async () => {
    const [one, other] = [await startWatchdog(realMachine, undefined, 200), await startWatchdog(realMachine)];
    await one.starting();
    const child = await processes.spawn(shell("trap '' TERM; while :; do sleep 0.1; done"));
    await one.dismiss();
    expect(await child.exit).toEqual({ kind: 'signaled', signal: 9 });
    const later = await processes.spawn(shell('exec sleep 1000'));
    await other.guard(later);
    await other.dismiss();
    expect(await later.exit).toEqual({ kind: 'signaled', signal: 15 });
  });

  it('looks in vain for a command that was never started', async () => {
    const watchdog = await startWatchdog(realMachine);
    await watchdog.starting();
    await watchdog.dismiss();
  });

  it('ends a command that shares our group alone, and not us', async () => {
    const watchdog = await startWatchdog(realMachine);
    const child = await processes.spawn({ ...shell('exec sleep 1000'), group: 'ours' });
    await watchdog.guard(child);
    await watchdog.dismiss();
    expect(await child.exit).toEqual({ kind: 'signaled', signal: 15 });
  });

  // Only numbers that no process can have: should this test break off, the watchdog acts on them.
  it.each([123_456_789, -123_456_789])('reads the note whatever was in it before: %i', async (target) => {
    const watchdog = await startWatchdog(realMachine);
    const child = await processes.spawn(shell('exec sleep 1000'));
    const other: Child = { ...child, target };
    await watchdog.guard(other);
    await watchdog.guard(child);
    await watchdog.dismiss();
    expect(await child.exit).toEqual({ kind: 'signaled', signal: 15 });
  });

  it('kills a tree that ignores TERM when its time is over', async () => {
    const { watchdog, child } = await guarding(`trap '' TERM; ${sleepingTree(temporary.path('tree'))}`, 200);
    const pids = await treePids(temporary.path('tree'));
    await watchdog.dismiss();
    expect(await child.exit).toEqual({ kind: 'signaled', signal: 9 });
    await eventually(() => expect(pids.filter(isRunning)).toEqual([]));
  });

  it('is not ended by signals that end a processor', async () => {
    const spawned: Child[] = [];
    const machine = machineWith({
      processes: {
        ...processes,
        spawn: async (command) => {
          const child = await processes.spawn(command);
          spawned.push(child);
          return child;
        },
      },
    });
    const watchdog = await startWatchdog(machine);
    const [shellChild] = spawned;
    // The first thing it does is to ignore them; until then it has its parent's handling.
    await eventually(() => {
      const status = readFileSync(`/proc/${shellChild?.pid}/status`, 'latin1');
      expect(BigInt(`0x${/SigIgn:\s*(\w+)/.exec(status)?.[1]}`) & 0x4007n).toBe(0x4007n);
    });
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)
      await shellChild?.signalGroup(signal);
    expect(isRunning(shellChild?.pid ?? 0)).toBe(true);
    await watchdog.dismiss();
    expect(await shellChild?.exit).toEqual({ kind: 'exited', code: 0 });
  });

  it('keeps the lock it was handed until what it guards is gone', async () => {
    const path = temporary.path('lock');
    const lock = await files.open(path, 'lock');
    expect(await locks.tryLock(lock, 'exclusive')).toBe(true);
    const may = temporary.path('may-end');
    const script = `trap 'while [ ! -e ${may} ]; do sleep 0.02; done; exit' TERM; echo $$ > ${temporary.path('pid')}; while :; do sleep 0.02; done`;
    const { watchdog, child } = await guarding(script, undefined, lock);
    await notedPid(temporary.path('pid'));
    // Our own descriptor goes, as when we die.
    await files.close(lock);
    const dismissed = watchdog.dismiss();
    const other = await files.open(path, 'lock');
    expect(await locks.tryLock(other, 'exclusive')).toBe(false);
    writeFileSync(may, '');
    await dismissed;
    await child.exit;
    expect(await locks.tryLock(other, 'exclusive')).toBe(true);
    await files.close(other);
  });

  it.each([
    [
      'its note',
      machineWith({
        processes: { ...processes, scratch: () => Promise.reject(systemError('ENOMEM', 'memfd_create')) },
      }),
    ],
    [
      'its shell',
      machineWith({
        processes: { ...processes, spawn: () => Promise.reject(systemError('EAGAIN', 'spawn')) },
      }),
    ],
    [
      '/dev/null',
      machineWithFiles(faultyFiles(files, ({ name }) => (name === 'open' ? 'EMFILE' : undefined))),
    ],
    [
      'the first note',
      machineWithFiles(faultyFiles(files, ({ name }) => (name === 'writeAt' ? 'ENOSPC' : undefined))),
    ],
  ])('that cannot have %s leaves nothing open', async (_, machine) => {
    const before = openDescriptors();
    await expect(startWatchdog(machine)).rejects.toThrow();
    expect(openDescriptors()).toEqual(before);
  });
});

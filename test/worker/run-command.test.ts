import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Child, Exit, Machine, SignalName } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { type CommandOutcome, runCommand } from '../../src/worker/run-command.ts';
import type { Watchdog } from '../../src/worker/watchdog.ts';
import { notedPid, shell, sleepingTree, treePids } from '../support/commands.ts';
import { systemError } from '../support/faulty-files.ts';
import { alarmClock, machineWith, manualClock } from '../support/machines.ts';
import { eventually, isRunning, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const never = new AbortController().signal;

afterEach(() => {
  vi.unstubAllEnvs();
});

const run = (script: string): Promise<CommandOutcome> =>
  runCommand(realMachine, shell(script), { stop: never });

async function expectGone(pids: readonly number[]): Promise<void> {
  await eventually(() => expect(pids.filter(isRunning)).toEqual([]));
}

describe('the end of a command', () => {
  it('with exit code 0 is success', async () => {
    expect(await run('exit 0')).toEqual({ kind: 'succeeded' });
  });

  it.each([1, 2, 100, 126, 127, 255])('with exit code %i is failure', async (code) => {
    expect(await run(`exit ${code}`)).toEqual({
      kind: 'failed',
      reason: `it ended with exit code ${code}`,
      exit: { kind: 'exited', code },
    });
  });

  it.each([1, 6, 9, 11, 15, 34, 64])('by signal %i is failure', async (signal) => {
    expect(await run(`kill -${signal} $$; sleep 1000`)).toEqual({
      kind: 'failed',
      reason: `it was killed by signal ${signal}`,
      exit: { kind: 'signaled', signal },
    });
  });

  it.each([2, 3, 13, 34])(
    'by signal %i in the terminal we share is failure, but for Ctrl-C',
    async (signal) => {
      const command = { ...shell(`kill -${signal} $$; sleep 1000`), group: 'ours' as const };
      const { kind } = await runCommand(realMachine, command, { stop: never });
      expect(kind).toBe(signal === 2 || signal === 3 ? 'stopped' : 'failed');
    },
  );

  it('does not wait for what it left running', async () => {
    const file = temporary.path('pid');
    expect(await run(`sleep 1000 & echo $! > ${file}`)).toEqual({ kind: 'succeeded' });
    const left = await notedPid(file);
    expect(isRunning(left)).toBe(true);
    process.kill(left);
  });
});

describe('a command that cannot be started', () => {
  it.each([
    ['is not there', () => temporary.path('none'), 'no such file or directory'],
    [
      'is nowhere in PATH',
      () => {
        // A directory of it that may not be searched would make this EACCES.
        vi.stubEnv('PATH', '/usr/bin:/bin');
        return 'intray-no-such-command';
      },
      'no such file or directory',
    ],
    ['has no name', () => '', 'no such file or directory'],
    ['is a directory', () => temporary.path(), 'permission denied'],
    ['may not be run', () => written('x', '#!/bin/sh\n', 0o644), 'permission denied'],
    [
      'is neither program nor script',
      () => written('x', 'exit 0\n', 0o755),
      'it is neither a program nor a script with a #! line',
    ],
    [
      'names an interpreter that is not there',
      () => written('x', '#!/no/such\n', 0o755),
      'no such file or directory',
    ],
    ['has a NUL in its name', () => 'a\0b', 'the system does not accept it'],
  ])('as it %s is told, with why', async (_, program, reason) => {
    const name = program();
    const command = { ...shell(''), program: name, args: [] };
    await expect(runCommand(realMachine, command, { stop: never })).rejects.toMatchObject({
      code: 'command-not-started',
      message: `cannot start ${name}: ${reason}`,
    });
  });

  function written(name: string, content: string, mode: number): string {
    writeFileSync(temporary.path(name), content, { mode });
    return temporary.path(name);
  }
});

describe('a command with a time limit', () => {
  it('that ends in time is as it is', async () => {
    const clock = alarmClock();
    const options = { stop: never, timeoutMs: 1000 };
    const machine = machineWith({ clock });
    expect(await runCommand(machine, shell('exit 0'), options)).toEqual({ kind: 'succeeded' });
    clock.ring(1000);
  });

  it('that does not is killed with all it started', async () => {
    const clock = alarmClock();
    const outcome = runCommand(machineWith({ clock }), shell(sleepingTree(temporary.path('tree'))), {
      stop: never,
      timeoutMs: 1500,
    });
    const pids = await treePids(temporary.path('tree'));
    expect(pids.filter(isRunning)).toEqual(pids);
    clock.ring(1500);
    expect(await outcome).toEqual({ kind: 'failed', reason: 'it ran longer than 1.5 s' });
    await expectGone(pids);
  });

  it('is killed also when it ignores TERM', async () => {
    const clock = alarmClock();
    const file = temporary.path('pid');
    const script = `trap '' TERM; echo $$ > ${file}; sleep 1000; sleep 1000`;
    const outcome = runCommand(machineWith({ clock }), shell(script), { stop: never, timeoutMs: 2000 });
    await notedPid(file);
    clock.ring(2000);
    expect(await outcome).toEqual({ kind: 'failed', reason: 'it ran longer than 2 s' });
  });

  it('of no time is killed at once', async () => {
    const options = { stop: never, timeoutMs: 0 };
    expect(await runCommand(realMachine, shell('sleep 1000'), options)).toEqual({
      kind: 'failed',
      reason: 'it ran longer than 0 s',
    });
  });
});

describe('a command that must stop', () => {
  it('is asked with TERM, and can tidy up', async () => {
    const stop = new AbortController();
    const file = temporary.path('pid');
    const script = `trap 'echo tidy > ${temporary.path('tidied')}; exit 0' TERM; echo $$ > ${file}; while :; do sleep 0.01; done`;
    const outcome = runCommand(realMachine, shell(script), { stop: stop.signal });
    await notedPid(file);
    stop.abort();
    expect(await outcome).toEqual({ kind: 'stopped' });
    expect(readFileSync(temporary.path('tidied'), 'utf8')).toBe('tidy\n');
  });

  it('goes with all it started', async () => {
    const stop = new AbortController();
    const outcome = runCommand(realMachine, shell(sleepingTree(temporary.path('tree'))), {
      stop: stop.signal,
    });
    const pids = await treePids(temporary.path('tree'));
    stop.abort();
    expect(await outcome).toEqual({ kind: 'stopped' });
    await expectGone(pids);
  });

  it('is killed with all it started when the tree ignores TERM for five seconds', async () => {
    const stop = new AbortController();
    const clock = manualClock();
    const script = `trap '' TERM; ${sleepingTree(temporary.path('tree'))}`;
    const outcome = runCommand(machineWith({ clock }), shell(script), { stop: stop.signal });
    const pids = await treePids(temporary.path('tree'));
    stop.abort();
    expect(await outcome).toEqual({ kind: 'stopped' });
    expect(clock.waitedMs).toBeGreaterThanOrEqual(5000);
    await expectGone(pids);
  });

  it('is not left behind when only a part of it goes at TERM', async () => {
    const stop = new AbortController();
    const clock = manualClock();
    const deaf = `trap "" TERM; echo $$ > ${temporary.path('deaf')}; sleep 1000; sleep 1000`;
    const script = `sh -c '${deaf}' & echo $$ > ${temporary.path('leader')}; wait`;
    const outcome = runCommand(machineWith({ clock }), shell(script), { stop: stop.signal });
    const pids = [await notedPid(temporary.path('leader')), await notedPid(temporary.path('deaf'))];
    stop.abort();
    expect(await outcome).toEqual({ kind: 'stopped' });
    await expectGone(pids);
  });

  it('is ended when we were told before it began', async () => {
    expect(await runCommand(realMachine, shell('sleep 1000'), { stop: AbortSignal.abort() })).toEqual({
      kind: 'stopped',
    });
  });

  it('is stopped, not timed out, when both come', async () => {
    const stop = new AbortController();
    const clock = { ...alarmClock(), monotonicMs: () => 0 };
    const file = temporary.path('pid');
    const script = `trap 'echo > ${temporary.path('term')}; exec sleep 1000' TERM; echo $$ > ${file}; while :; do sleep 0.01; done`;
    const outcome = runCommand(machineWith({ clock }), shell(script), { stop: stop.signal, timeoutMs: 777 });
    const pid = await notedPid(file);
    stop.abort();
    clock.ring(777);
    await eventually(() => expect(existsSync(temporary.path('term'))).toBe(true));
    process.kill(-pid, 'SIGKILL');
    await eventually(() => clock.ring(10));
    clock.ring(10);
    await eventually(async () => {
      clock.ring(10);
      expect(await Promise.race([outcome, 'not yet'])).toEqual({ kind: 'stopped' });
    });
  });
});

/** A command that ends when told, in a machine that starts nothing. */
function pretend(signalGroup: (signal: SignalName) => boolean): {
  machine: Machine;
  end: (exit: Exit) => void;
} {
  let end: (exit: Exit) => void = () => {};
  const exit = new Promise<Exit>((resolve) => {
    end = resolve;
  });
  const child: Child = { pid: 1, target: -1, exit, signalGroup, groupExists: () => false };
  const processes = { ...realMachine.processes, spawn: () => child };
  return { machine: machineWith({ processes }), end };
}

describe('a command of another user', () => {
  it('that may not be signalled is waited for, and that is told', async () => {
    const stop = new AbortController();
    const { machine, end } = pretend(() => {
      throw systemError('EPERM', 'kill');
    });
    const outcome = runCommand(machine, shell(''), { stop: stop.signal });
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await new Promise((resolve) => setImmediate(resolve));
    end({ kind: 'exited', code: 0 });
    await expect(outcome).rejects.toMatchObject({ code: 'EPERM' });
  });
});

describe('the watchdog', () => {
  const watchdogThat = (say: (what: string) => void): Watchdog => ({
    starting: async () => say('starting'),
    guard: async ({ target }) => say(`guard ${target}`),
    rest: async () => say('rest'),
    dismiss: async () => say('dismiss'),
  });

  it('is told whom to guard, and when it can rest', async () => {
    const said: string[] = [];
    const watchdog = watchdogThat((what) => said.push(what));
    const { machine, end } = pretend(() => true);
    end({ kind: 'exited', code: 0 });
    await runCommand(machine, shell(''), { stop: never, watchdog });
    expect(said).toEqual(['starting', 'guard -1', 'rest']);
  });

  it('that cannot be told means that the command must not run', async () => {
    const signals: string[] = [];
    const { machine, end } = pretend((signal) => {
      signals.push(signal);
      end({ kind: 'signaled', signal: 9 });
      return true;
    });
    const watchdog = {
      ...watchdogThat(() => {}),
      guard: async () => {
        throw systemError('ENOSPC', 'write');
      },
    };
    await expect(runCommand(machine, shell(''), { stop: never, watchdog })).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(signals).toEqual(['SIGKILL']);
  });
});

import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isSystemError } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readExactly } from '../../src/os/transfer.ts';
import { checkLeaks, closeNow, pipe, temporaryDirectory } from './checked.ts';
import { childPids, readProcess, refusal, shell, start, startHolder } from './machine.ts';

checkLeaks();

afterEach(() => {
  expect(childPids()).toEqual([]);
});

describe('a command that exits', () => {
  test.each([0, 1, 2, 63, 64, 99, 125, 126, 127, 128, 129, 130, 137, 143, 162, 200, 254, 255])(
    'with %i is reported so',
    async (code) => {
      expect(await shell(`exit ${code}`)).toEqual({ kind: 'exited', code });
    },
  );
});

describe('a command that a signal ends', () => {
  // 13 and 25 are ignored by the runtimes themselves; 34 and 64 are the first and last real-time signals.
  test.each([1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 31, 34, 35, 50, 63, 64])(
    '%i is reported with it, not as an exit code',
    async (signal) => {
      const exit = await shell(`ulimit -c 0; kill -${signal} $$; exit 0`);
      expect(exit).toEqual({ kind: 'signaled', signal });
    },
  );

  test('of a pipe that nobody reads is reported so', async () => {
    const { readEnd, writeEnd } = await pipe();
    closeNow(readEnd);
    const child = await start({ program: 'yes', args: [], stdout: writeEnd });
    expect(await child.exit).toEqual({ kind: 'signaled', signal: 13 });
  });
});

describe('a command that cannot be started', () => {
  const inDirectory = (name: string, content: string, mode: number) => {
    const path = join(temporaryDirectory(), name);
    fs.writeFileSync(path, content, { mode });
    return path;
  };

  test('is refused with the name of the errno', async () => {
    const notExecutable = inDirectory('plain', '#!/bin/sh\n', 0o644);
    const noInterpreter = inDirectory('script', 'echo hello\n', 0o755);
    const lostInterpreter = inDirectory('lost', '#!/nonexistent/sh\n', 0o755);
    const refused = async (program: string) => refusal({ program, args: [] });
    expect(await refused('/nonexistent/program')).toBe('ENOENT');
    expect(await refused('no-such-program-in-path')).toBe('ENOENT');
    expect(await refused('')).toBe('ENOENT');
    expect(await refused(lostInterpreter)).toBe('ENOENT');
    expect(await refused(notExecutable)).toBe('EACCES');
    expect(await refused(temporaryDirectory())).toBe('EACCES');
    expect(await refused(`${notExecutable}/below`)).toBe('ENOTDIR');
    expect(await refused(noInterpreter)).toBe('ENOEXEC');
  });

  test('for what it is given is refused too', async () => {
    const nul = { program: 'true', args: ['a\0b'] };
    expect(await refusal(nul)).toBe('EINVAL');
    expect(await refusal({ program: 'tr\0ue', args: [] })).toBe('EINVAL');
    expect(await refusal({ program: 'true', args: [], env: new Map([['A', 'a\0b']]) })).toBe('EINVAL');
    expect(await refusal({ program: 'true', args: ['x'.repeat(200_000)] })).toBe('E2BIG');
    const { readEnd } = await pipe();
    closeNow(readEnd);
    expect(await refusal({ program: 'true', args: [], stdin: readEnd })).toBe('EBADF');
  });

  test('throws an error like those of node:fs', async () => {
    const failure: unknown = await start({ program: '/nonexistent/program', args: [] }).catch(
      (error) => error,
    );
    expect(isSystemError(failure)).toBe(true);
    expect(failure).toMatchObject({
      code: 'ENOENT',
      errno: -2,
      syscall: 'spawn',
      path: '/nonexistent/program',
      message: "ENOENT: spawn '/nonexistent/program'",
    });
  });
});

describe('many commands', () => {
  test('200 at once are all reported, each with its own end', async () => {
    const children = await Promise.all(
      Array.from({ length: 200 }, (_, at) =>
        start({ program: 'sh', args: ['-c', at % 2 === 0 ? `exit ${at}` : 'kill -34 $$'] }),
      ),
    );
    expect(new Set(children.map((child) => child.pid)).size).toBe(200);
    const exits = await Promise.all(children.map((child) => child.exit));
    exits.forEach((exit, at) => {
      expect(exit).toEqual(at % 2 === 0 ? { kind: 'exited', code: at } : { kind: 'signaled', signal: 34 });
    });
    expect(childPids()).toEqual([]);
  });

  test('that end in another order than they began are each reported when they end', async () => {
    const first = await startHolder({ program: 'cat', args: [] });
    const second = await startHolder({ program: 'cat', args: [] });
    expect(await second.release()).toEqual({ kind: 'exited', code: 0 });
    expect(readProcess(first.child.pid)?.parent).toBe(process.pid);
    expect(await first.release()).toEqual({ kind: 'exited', code: 0 });
  });

  test('leave no listener and no timer behind', async () => {
    const listeners = process.listenerCount('SIGCHLD');
    const holder = await startHolder({ program: 'cat', args: [] });
    expect(process.listenerCount('SIGCHLD')).toBe(listeners + 1);
    await holder.release();
    expect(process.listenerCount('SIGCHLD')).toBe(listeners);
    expect(await refusal({ program: '/nonexistent/program', args: [] })).toBe('ENOENT');
    expect(process.listenerCount('SIGCHLD')).toBe(listeners);
  });

  test('a stopped one has not ended', async () => {
    const holder = await startHolder({ program: 'cat', args: [] });
    process.kill(holder.child.pid, 'SIGSTOP');
    let ended = false;
    void holder.child.exit.then(() => {
      ended = true;
    });
    expect(await shell('exit 3')).toEqual({ kind: 'exited', code: 3 });
    expect(ended).toBe(false);
    process.kill(holder.child.pid, 'SIGCONT');
    expect(await holder.release()).toEqual({ kind: 'exited', code: 0 });
  });
});

describe('a process group', () => {
  test('is led by the command', async () => {
    const holder = await startHolder({ program: 'cat', args: [] });
    expect(readProcess(holder.child.pid)?.group).toBe(holder.child.pid);
    expect(readProcess(process.pid)?.group).not.toBe(holder.child.pid);
    await holder.release();
  });

  test.each([
    ['SIGTERM', 15],
    ['SIGKILL', 9],
    ['SIGINT', 2],
    ['SIGHUP', 1],
    ['SIGQUIT', 3],
  ] as const)('gets %s, the children of the command too', async (name, signal) => {
    const { readEnd, writeEnd } = await pipe();
    // Not "&": a shell has its background jobs ignore SIGINT and SIGQUIT.
    const script = 'ulimit -c 0; sh -c "echo; exec sleep 1000"; exit 0';
    const child = await start({ program: 'sh', args: ['-c', script], stdout: writeEnd });
    closeNow(writeEnd);
    expect(await readExactly(realMachine.files, readEnd, 1)).toHaveLength(1);
    expect(await child.signalGroup(name)).toBe(true);
    expect(await child.exit).toEqual({ kind: 'signaled', signal });
    // The pipe ends when the last process that could write to it is gone.
    expect(await readExactly(realMachine.files, readEnd, 1)).toHaveLength(0);
  });

  test('that nobody is in any more is gone', async () => {
    const child = await start({ program: 'true', args: [] });
    await child.exit;
    expect(await child.signalGroup('SIGKILL')).toBe(false);
  });

  test('can be signalled after its leader has ended', async () => {
    const { readEnd, writeEnd } = await pipe();
    const child = await start({ program: 'sh', args: ['-c', 'sleep 1000 & echo'], stdout: writeEnd });
    closeNow(writeEnd);
    expect(await child.exit).toEqual({ kind: 'exited', code: 0 });
    expect(await child.signalGroup('SIGKILL')).toBe(true);
    expect(await readExactly(realMachine.files, readEnd, 2)).toHaveLength(1);
  });
});

/** What happens to the running command when its processor ends in any way: it ends too, and the job stays. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, exitOf, type Fspl, fsplFor, VARIANTS } from '../support/fspl.ts';

/** A command that starts a child of its own, says both numbers, and would take for ever. */
const FOREVER = 'sleep 1000 & echo $$ $! > pids; wait';
/** The same, deaf to TERM. */
const STUBBORN = `trap "" TERM; ${FOREVER}`;

describe.each(VARIANTS)('a processor run as %s', (_name, program, first) => {
  const open = () => {
    const fspl = fsplFor(program, first);
    expect(fspl.sh('fspl queue-init -q q && fspl prepare -s s | fspl queue-write -q q').status).toBe(0);
    return fspl;
  };

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'ends its command on %s and dies of it',
    async (signal) => {
      const fspl = open();
      const processor = fspl.start(['queue-process', '-q', 'q', 'sh', '--', '-c', FOREVER]);
      const pids = await pidsOf(fspl);
      processor.kill(signal);
      expect(await exitOf(processor)).toEqual({ code: null, signal });
      expect(pids.filter(isAlive)).toEqual([]);
      expect(fspl.run(['queue-process', '-q', 'q', 'echo', '--', 'again']).stdout).toBe('again\n');
    },
  );

  it('kills a command that does not end on TERM', async () => {
    const fspl = open();
    const processor = fspl.start(['queue-process', '-q', 'q', 'sh', '--', '-c', STUBBORN]);
    const pids = await pidsOf(fspl);
    processor.kill('SIGTERM');
    expect(await exitOf(processor)).toEqual({ code: null, signal: 'SIGTERM' });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('keeps the queue locked after kill -9 until its command is gone', async () => {
    const fspl = open();
    const processor = fspl.start(['queue-process', '-q', 'q', 'sh', '--', '-c', STUBBORN]);
    const pids = await pidsOf(fspl);
    processor.kill('SIGKILL');
    await exitOf(processor);
    // The command is deaf to TERM: until it is killed it lives, and as long as it lives nobody gets the lock.
    const early = fspl.run(['queue-process', '-q', 'q', 'echo', '--', 'beside']);
    expect(early).toMatchObject({ status: 1, stdout: '' });
    expect(early.stderr).toContain('another process has held this lock');
    const later = await eventually(() => {
      const alive = pids.filter(isAlive);
      const result = fspl.run(['queue-process', '-q', 'q', 'echo', '--', 'again']);
      if (result.status === 0) expect(alive).toEqual([]);
      return result.status === 0 && result;
    }, 'the lock');
    expect(later.stdout).toBe('again\n');
  });

  it('kills all that a command has started when its time is over', async () => {
    const fspl = open();
    const result = fspl.run(['queue-process', '-q', 'q', '--timeout', '1', 'sh', '--', '-c', STUBBORN]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('it ran longer than 1 s');
    const pids = await pidsOf(fspl);
    await eventually(() => pids.filter(isAlive).length === 0, 'the end of the group');
  });

  it('leaves alone what a finished command has left running', async () => {
    const fspl = open();
    const line = 'sleep 1000 >/dev/null 2>&1 & echo $! > pids';
    expect(fspl.run(['queue-process', '-q', 'q', 'sh', '--', '-c', line]).status).toBe(0);
    const [daemon = 0] = await pidsOf(fspl);
    expect(isAlive(daemon)).toBe(true);
    process.kill(daemon, 'SIGKILL');
  });

  it('never takes death by a signal for success', () => {
    const fspl = open();
    for (const signal of [1, 9, 15, 34, 64]) {
      const result = fspl.run(['queue-process', '-q', 'q', 'sh', '--', '-c', `kill -${signal} $$`]);
      expect(result.status).toBe(1);
      expect(result.stderr).toContain(`it was killed by signal ${signal}`);
    }
    expect(fspl.run(['queue-get-next', '-q', 'q']).stdout).toBe('1\n');
  });

  it('stops its command when told to in stdin-process too', async () => {
    const fspl = open();
    const processor = fspl.start(['stdin-process', 'true']);
    expect((await exitOf(processor)).code).toBe(1); // no packet there
    const piped = fspl.sh(
      "fspl prepare -s - > p; (fspl stdin-process sh -- -c 'echo $$ > pids; exec sleep 1000' < p; echo $? > status) & " +
        'while [ ! -s pids ]; do sleep 0.02; done; kill -TERM $(ps -o ppid= -p $(cat pids)); wait; cat status',
    );
    expect(piped.stdout.trim()).toBe('143');
    expect((await pidsOf(fspl)).filter(isAlive)).toEqual([]);
  });

  it('shares the terminal with a command that asks for something there', () => {
    const fspl = open();
    const line = [program, ...first].join(' ');
    const asking = 'read answer </dev/tty; echo "it said $answer"';
    const result = fspl.sh(
      `(sleep 0.5; echo hello) | script -qec '${line} queue-process -q q sh -- -c "${asking.replaceAll('"', '\\"').replaceAll('$', '\\$')}"' /dev/null`,
    );
    expect(result.stdout).toContain('it said hello');
  });
});

async function pidsOf(fspl: Fspl): Promise<number[]> {
  const text = await eventually(() => {
    try {
      const content = readFileSync(join(fspl.dir, 'pids'), 'latin1');
      return content.endsWith('\n') && content;
    } catch {
      return undefined;
    }
  }, 'the command to start');
  return text.trim().split(' ').map(Number);
}

/** Whether a process is there and no zombie. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}

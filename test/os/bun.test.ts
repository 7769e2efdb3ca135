/** The same checks in both runtimes: here in Node, and in Bun, which makes the executable. */

import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeBytes } from '../../src/os/bytes.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readExactly } from '../../src/os/transfer.ts';
import { PROBED_CODES, PROBED_SIGNALS, probe } from './bun-probe.ts';
import { checkLeaks, closedLater, closeNow, open, pipe, temporaryDirectory } from './checked.ts';
import { openFifo, start } from './machine.ts';

beforeAll(async () => {
  // The first watch of a process opens the one inotify descriptor that all of its watches share.
  (await realMachine.watches.watch('/', { onChange: () => {}, onLost: () => {} }))();
});
checkLeaks();

const ROOT = join(import.meta.dirname, '../..');
const BUN = join(ROOT, 'node_modules/.bin/bun');
const PROBE = join(import.meta.dirname, 'bun-probe.ts');

const PLAIN = ['dangling link', 'directory directory', 'fifo fifo', 'plain file'];

const RIGHT = {
  exits: Object.fromEntries([
    ...PROBED_CODES.map((code) => [`exit ${code}`, { kind: 'exited', code }]),
    ...PROBED_SIGNALS.map((signal) => [`kill -${signal}`, { kind: 'signaled', signal }]),
  ]),
  refusals: {
    missing: 'ENOENT',
    missingInPath: 'ENOENT',
    notExecutable: 'EACCES',
    directory: 'EACCES',
    noInterpreter: 'ENOEXEC',
    nulInArgument: 'EINVAL',
    argumentTooLong: 'E2BIG',
  },
  manyAtOnce: 200,
  text: { argument: true, variable: true },
  descriptors: {
    restOfStdin: 'payload',
    stdoutAndStderr: '1\n2\n3\n',
    leaked: [],
    notGivenAreOurs: true,
  },
  group: { led: true, signalled: true, exit: { kind: 'signaled', signal: 15 }, after: 0 },
  locks: {
    'exclusive, exclusive': [false, false, false],
    'exclusive, shared': [false, false, false],
    'shared, exclusive': [false, false, false],
    'shared, shared': [true, true, true],
  },
  lockLives: { whileHeld: false, afterKill: true, whileInherited: false, afterHeir: true, closedIs: 'EBADF' },
  names: { plain: PLAIN, withOdd: ['b\udcff file', ...PLAIN], inFifo: 0 },
  watching: ['change', 'change', 'change', 'change', 'ENOENT'],
  childrenLeft: 0,
  descriptorsLeft: [],
};

describe('processes, locks and names', () => {
  test('are right under Node', async () => {
    expect(await probe(temporaryDirectory())).toEqual(RIGHT);
  });

  test('are right under Bun', async () => {
    const { stdout } = await promisify(execFile)(BUN, ['--no-install', PROBE, temporaryDirectory()]);
    expect(JSON.parse(stdout)).toEqual(RIGHT);
  });
});

describe('standard input that was set non-blocking', () => {
  test('is waited for under Bun', async () => {
    const path = join(temporaryDirectory(), 'fifo');
    execFileSync('mkfifo', [path]);
    // The flag belongs to the open file, so the script gets it with the descriptor.
    const stdin = closedLater(await openFifo(path));
    const writer = await open(path, 'truncate');
    const { readEnd, writeEnd } = await pipe();
    const args = ['--no-install', PROBE, '--read-stdin'];
    const child = await start({ program: BUN, args, stdin, stdout: writeEnd });
    closeNow(writeEnd);
    const { files } = realMachine;
    // From here on the script asks for what is not there yet.
    expect(await readExactly(files, readEnd, 6)).toEqual(encodeBytes('ready\n'));
    fs.writeSync(writer, 'first ');
    fs.writeSync(writer, 'second');
    closeNow(writer);
    expect(await readExactly(files, readEnd, 100)).toEqual(encodeBytes('first second'));
    expect(await child.exit).toEqual({ kind: 'exited', code: 0 });
  });
});

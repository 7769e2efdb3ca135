/**
 * The checks of processes, locks and names that must come out alike in every runtime. A plain script, since the
 * test runner runs on Node only: `bun bun-probe.ts DIRECTORY` prints what it found as JSON, and
 * `bun bun-probe.ts --read-stdin` what came in at standard input. bun.test.ts knows what is right.
 */

import fs from 'node:fs';
import { join } from 'node:path';
import { concatBytes, decodeBytes, encodeBytes } from '../../src/os/bytes.ts';
import { type Exit, type LockKind, STDIN, STDOUT } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readExactly } from '../../src/os/transfer.ts';
import {
  childPids,
  flockGets,
  holdWithFlock,
  openDescriptors,
  openFifo,
  parseStat,
  refusal,
  run,
  shell,
  start,
  startHolder,
} from './machine.ts';

const { files, locks, processes, watches } = realMachine;

export const PROBED_CODES = [0, 1, 64, 127, 128, 162, 255];
export const PROBED_SIGNALS = [1, 2, 9, 11, 13, 15, 25, 34, 64];
const KINDS: LockKind[] = ['exclusive', 'shared'];

export async function probe(directory: string) {
  await shell('exit 0'); // what is opened once and for all is open now
  (await watches.watch(directory, { onChange: () => {}, onLost: () => {} }))();
  const before = openDescriptors();
  const found = {
    exits: await exits(),
    refusals: await refusals(directory),
    manyAtOnce: await manyAtOnce(),
    text: await givenText(directory),
    descriptors: await givenDescriptors(directory),
    group: await group(directory),
    locks: await lockMatrix(join(directory, 'lock')),
    lockLives: await lockLives(join(directory, 'lock')),
    names: await names(directory),
    watching: await watching(directory),
  };
  const added = openDescriptors().filter((descriptor) => !before.includes(descriptor));
  return { ...found, childrenLeft: childPids().length, descriptorsLeft: added };
}

async function exits(): Promise<Record<string, Exit>> {
  const found: Record<string, Exit> = {};
  for (const code of PROBED_CODES) found[`exit ${code}`] = await shell(`exit ${code}`);
  for (const signal of PROBED_SIGNALS) {
    found[`kill -${signal}`] = await shell(`ulimit -c 0; kill -${signal} $$; exit 0`);
  }
  return found;
}

async function refusals(directory: string): Promise<Record<string, string>> {
  const script = join(directory, 'script');
  fs.writeFileSync(script, 'echo hello\n', { mode: 0o755 });
  const plain = join(directory, 'plain');
  fs.writeFileSync(plain, '#!/bin/sh\n', { mode: 0o644 });
  return {
    missing: await refusal({ program: '/nonexistent/program', args: [] }),
    missingInPath: await refusal({ program: 'no-such-program-in-path', args: [] }),
    notExecutable: await refusal({ program: plain, args: [] }),
    directory: await refusal({ program: directory, args: [] }),
    noInterpreter: await refusal({ program: script, args: [] }),
    nulInArgument: await refusal({ program: 'true', args: ['a\0b'] }),
    argumentTooLong: await refusal({ program: 'true', args: ['x'.repeat(200_000)] }),
  };
}

/** How many of 200 commands were reported with the end they had. */
async function manyAtOnce(): Promise<number> {
  const scripts = Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? `exit ${at}` : 'kill -34 $$'));
  const started = await Promise.all(scripts.map((script) => start({ program: 'sh', args: ['-c', script] })));
  const ends = await Promise.all(started.map((child) => child.exit));
  return ends.filter((exit, at) =>
    exit.kind === 'exited' ? at % 2 === 0 && exit.code === at : at % 2 === 1 && exit.signal === 34,
  ).length;
}

/** Each of the 255 bytes an argument, a name and a value can hold. */
async function givenText(directory: string) {
  const every = Uint8Array.from({ length: 255 }, (_, at) => at + 1);
  const text = decodeBytes(every);
  const { bytes } = await run(directory, { program: 'printf', args: ['%s', text] });
  const name = decodeBytes(every.filter((byte) => byte !== 0x3d));
  const variable = await run(directory, { program: 'env', args: ['-0'], env: new Map([[name, text]]) });
  const expected = encodeBytes(`${name}=${text}\0`);
  return {
    argument: Buffer.compare(bytes, every) === 0,
    variable: Buffer.compare(variable.bytes, expected) === 0,
  };
}

async function givenDescriptors(directory: string) {
  fs.writeFileSync(join(directory, 'job'), 'header|payload');
  const stdin = await files.open(join(directory, 'job'), 'read-job');
  await readExactly(files, stdin, 7);
  const both = await files.open(join(directory, 'both'), 'truncate');
  const list = { program: 'ls', args: ['-l', '/proc/self/fd'] };
  const rest = await run(directory, { program: 'cat', args: [], stdin });
  const writer = await start({
    program: 'sh',
    args: ['-c', 'echo 1; echo 2 >&2; echo 3'],
    stdout: both,
    stderr: both,
  });
  await writer.exit;
  const open = (await run(directory, list)).output.split('\n').flatMap((line) => line.split(' -> ')[1] ?? []);
  await files.close(both);
  await files.close(stdin);
  const readLinks = 'for n in 0 2; do readlink /proc/$$/fd/$n; done';
  const inherited = await run(directory, { program: 'sh', args: ['-c', readLinks] });
  const ours = [0, 2].map((number) => fs.readlinkSync(`/proc/self/fd/${number}`));
  return {
    restOfStdin: rest.output,
    stdoutAndStderr: fs.readFileSync(join(directory, 'both'), 'utf8'),
    leaked: open.filter((target) => /\/(job|both)$|eventpoll|eventfd/.test(target)),
    notGivenAreOurs: inherited.output === ours.map((target) => `${target}\n`).join(''),
  };
}

async function group(directory: string) {
  const stat = await run(directory, { program: 'cat', args: ['/proc/self/stat'] });
  const { readEnd, writeEnd } = await processes.pipe();
  const script = 'sh -c "echo; exec sleep 1000"; exit 0';
  const child = await start({ program: 'sh', args: ['-c', script], stdout: writeEnd });
  await files.close(writeEnd);
  await readExactly(files, readEnd, 1);
  const signalled = await child.signalGroup('SIGTERM');
  const exit = await child.exit;
  // Ends when the last process that could write to the pipe is gone.
  const after = (await readExactly(files, readEnd, 1)).length;
  await files.close(readEnd);
  return { led: parseStat(stat.output).group === stat.pid, signalled, exit, after };
}

/** Who gets a lock while it is held: by another descriptor here, by flock(1) from us, by us from flock(1). */
async function lockMatrix(path: string): Promise<Record<string, boolean[]>> {
  const found: Record<string, boolean[]> = {};
  for (const held of KINDS) {
    for (const wanted of KINDS) {
      const first = await files.open(path, 'lock');
      const second = await files.open(path, 'lock');
      await locks.tryLock(first, held);
      const here = await locks.tryLock(second, wanted);
      await locks.unlock(second);
      await locks.tryLock(first, held);
      const there = await flockGets(path, wanted);
      await locks.unlock(first);
      const holder = await holdWithFlock(path, held);
      const fromThere = await locks.tryLock(second, wanted);
      await holder.release();
      await files.close(first);
      await files.close(second);
      found[`${held}, ${wanted}`] = [here, there, fromThere];
    }
  }
  return found;
}

async function lockLives(path: string) {
  const ours = await files.open(path, 'lock');
  const holder = await holdWithFlock(path, 'exclusive');
  const whileHeld = await locks.tryLock(ours, 'exclusive');
  await holder.child.signalGroup('SIGKILL');
  await holder.release();
  const afterKill = await locks.tryLock(ours, 'exclusive');
  const heir = await startHolder({ program: 'cat', args: [], extra: [ours] });
  await files.close(ours);
  const whileInherited = await flockGets(path, 'shared');
  await heir.release();
  const afterHeir = await flockGets(path, 'exclusive');
  const closedIs = await Promise.resolve(locks.tryLock(ours, 'shared')).catch((error: unknown) => {
    return (error as { code?: string }).code;
  });
  return { whileHeld, afterKill, whileInherited, afterHeir, closedIs };
}

/**
 * Listings, by both ways of reading them. Not with node:path, which in Bun turns lone surrogates into U+FFFD:
 * https://github.com/oven-sh/bun/pull/34596
 */
async function names(directory: string) {
  const odd = `${directory}/sub\udc80`;
  await files.mkdir(odd);
  await files.close(await files.open(`${odd}/plain`, 'create'));
  await files.mkdir(`${odd}/directory`);
  fs.symlinkSync('nowhere', Buffer.from(encodeBytes(`${odd}/dangling`)));
  await (await start({ program: 'mkfifo', args: [`${odd}/fifo`] })).exit;
  const list = async () => (await files.readdir(odd)).map(({ name, kind }) => `${name} ${kind}`).sort();
  const plain = await list();
  await files.close(await files.open(`${odd}/a\udcff`, 'create'));
  await files.rename(`${odd}/a\udcff`, `${odd}/b\udcff`);
  const fifo = await openFifo(`${odd}/fifo`);
  const inFifo = (await readExactly(files, fifo, 1)).length;
  await files.close(fifo);
  return { plain, withOdd: await list(), inFifo };
}

/** What is told of a directory whose name is not UTF-8, for one step after the other. */
async function watching(directory: string) {
  const watched = `${directory}/watched\udc80`;
  await files.mkdir(watched);
  const told: string[] = [];
  let heard = () => {};
  const end = await watches.watch(watched, {
    onChange: () => {
      told.push('change');
      heard();
    },
    onLost: ({ code }) => {
      told.push(code);
      heard();
    },
  });
  const steps = [
    async () => files.close(await files.open(`${watched}/a\udcff`, 'create')),
    () => files.rename(`${watched}/a\udcff`, `${directory}/outside`),
    () => files.rename(`${directory}/outside`, `${watched}/b`),
    () => files.unlink(`${watched}/b`),
    () => files.rmdir(watched),
  ];
  for (const step of steps) {
    const hear = new Promise<void>((resolve) => {
      heard = resolve;
    });
    // The event alone does not keep us alive.
    const timer = setTimeout(() => heard(), WAIT_MS);
    await step();
    await hear;
    clearTimeout(timer);
  }
  end();
  return told;
}

const WAIT_MS = 5000;

async function readStdin(): Promise<void> {
  await files.write(STDOUT, encodeBytes('ready\n'));
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(1000);
  for (;;) {
    const count = await files.read(STDIN, buffer, 0, buffer.length);
    if (count === 0) break;
    parts.push(buffer.slice(0, count));
  }
  await files.write(STDOUT, concatBytes(parts));
}

if (process.argv[1] === import.meta.filename) {
  const [argument = ''] = process.argv.slice(2);
  if (argument === '--read-stdin') await readStdin();
  else fs.writeSync(STDOUT, JSON.stringify(await probe(argument)));
}

import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeBytes } from '../../src/os/bytes.ts';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readExactly } from '../../src/os/transfer.ts';
import { PEEK_BYTES } from '../../src/packet/read.ts';
import {
  type Decoder,
  decoderFor,
  type OpenedPacket,
  openPacket,
  peekPacket,
} from '../../src/spool/open-packet.ts';
import { failEachCall } from '../support/faulty-files.ts';
import { alarmClock, machineWith, machineWithFiles, manualClock } from '../support/machines.ts';
import { packet } from '../support/packets.ts';
import { eventually, isRunning, openDescriptors, useTemporary } from '../support/temporary.ts';

const { files: real } = realMachine;
const temporary = useTemporary();
let path: string;

beforeEach(() => {
  path = temporary.path('job');
  writeFileSync(path, packet({ seq: 7, payload: 'payload' }));
});

const decoder = (command: string): Decoder => ({ command, shell: '/bin/sh', group: 'own' });

async function opened(command?: string, machine = realMachine): Promise<OpenedPacket> {
  const result = await openPacket(machine, path, command === undefined ? undefined : decoder(command));
  if (result.kind === 'damaged') throw new Error(result.message);
  return result;
}

async function text({ payload }: OpenedPacket): Promise<string> {
  return decodeBytes(await readExactly(real, payload, 10_000_000));
}

/** The number of the process that a decoder notes in a file before it goes on. */
async function noted(file: string): Promise<number> {
  return eventually(() => {
    const pid = Number(readFileSync(file, 'utf8'));
    expect(pid).toBeGreaterThan(0);
    return pid;
  });
}

describe('openPacket', () => {
  it('stops at the first byte of the payload', async () => {
    const before = openDescriptors();
    const job = await opened();
    expect(job.kind).toBe('packet');
    expect(job.header.seq).toBe(7n);
    expect(await text(job)).toBe('payload');
    expect(await job.finish()).toBeUndefined();
    expect(openDescriptors()).toEqual(before);
  });

  it('can be discarded unread', async () => {
    const before = openDescriptors();
    await (await opened()).discard();
    expect(openDescriptors()).toEqual(before);
  });

  it('says what is damaged, and closes it', async () => {
    writeFileSync(path, 'junk that is longer than a prefix of thirty bytes');
    const before = openDescriptors();
    expect(await openPacket(realMachine, path)).toMatchObject({ kind: 'damaged', damage: 'tag' });
    expect(openDescriptors()).toEqual(before);
  });

  it('throws what the system says when it cannot be opened', async () => {
    await expect(openPacket(realMachine, temporary.path('none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([undefined, 'cat'])('leaves no descriptor open, whatever fails (decoder %s)', async (command) => {
    const calls = await failEachCall(real, 'EIO', async (faulty) => {
      const before = openDescriptors();
      try {
        const job = await opened(command, machineWithFiles(faulty));
        await job.finish();
      } catch (error) {
        expect(error).toMatchObject({ code: 'EIO' });
      }
      expect(openDescriptors()).toEqual(before);
    });
    expect(calls).toBeGreaterThan(4);
  });
});

describe.each([
  ['openPacket', (machine: Machine, path: string) => openPacket(machine, path)],
  ['peekPacket', (machine: Machine, path: string) => peekPacket(machine, path, new Uint8Array(PEEK_BYTES))],
] as const)('%s', (_, read) => {
  it('does not wait for a named pipe', async () => {
    execFileSync('mkfifo', [temporary.path('pipe')]);
    const before = openDescriptors();
    expect(await read(realMachine, temporary.path('pipe'))).toEqual({
      kind: 'damaged',
      damage: 'shape',
      message: 'it is not a regular file',
    });
    expect(openDescriptors()).toEqual(before);
  });

  it('does not believe a packet that is still being written', async () => {
    chmodSync(path, 0o1644);
    expect(await read(realMachine, path)).toEqual({
      kind: 'damaged',
      damage: 'truncated',
      message: 'the program that writes it has not finished',
    });
  });
});

describe('peekPacket', () => {
  it('reads the header, and leaves nothing open', async () => {
    const before = openDescriptors();
    const result = await peekPacket(realMachine, path, new Uint8Array(PEEK_BYTES));
    expect(result).toMatchObject({ kind: 'header', header: { seq: 7n } });
    expect(openDescriptors()).toEqual(before);
  });
});

describe('a decoder', () => {
  it('unpacks the whole file, and its output is the packet', async () => {
    const before = openDescriptors();
    const plain = packet({ seq: 9, payload: 'unpacked' });
    writeFileSync(
      path,
      plain.map((byte) => byte ^ 0x20),
    );
    const swap = `perl -0777 -pe '$_ ^= chr(0x20) x length'`;
    const job = await opened(swap);
    expect(job.kind).toBe('packet');
    expect(job.header.seq).toBe(9n);
    expect(await text(job)).toBe('unpacked');
    expect(await job.finish()).toBeUndefined();
    expect(openDescriptors()).toEqual(before);
  });

  it('has the job file itself as its standard input', async () => {
    const job = await opened(`readlink /proc/self/fd/0 > ${temporary.path('stdin')}; cat`);
    await job.finish();
    expect(readFileSync(temporary.path('stdin'), 'utf8').trim()).toBe(path);
  });

  it('runs in the shell of the user', async () => {
    const env = (shell?: string) => new Map(shell === undefined ? [] : [['SHELL', shell]]);
    const host = (shell?: string, terminal = false) => ({
      ...realMachine.host,
      env: () => env(shell),
      inForeground: () => terminal,
    });
    const made = (shell?: string, terminal?: boolean) =>
      decoderFor(machineWith({ host: host(shell, terminal) }), 'cat');
    expect(await made('/bin/zsh')).toMatchObject({ command: 'cat', shell: '/bin/zsh', group: 'own' });
    expect(await made()).toMatchObject({ shell: '/bin/sh' });
    expect(await made('/bin/zsh', true)).toMatchObject({ group: 'ours' });
  });

  it('that fails after its output makes the payload not to be trusted', async () => {
    const job = await opened('cat; exit 3');
    expect(await text(job)).toBe('payload');
    expect(await job.finish()).toBe('the decoder ended with exit code 3');
  });

  it('that dies of a signal makes the payload not to be trusted', async () => {
    const job = await opened('cat; kill -9 $$');
    expect(await text(job)).toBe('payload');
    expect(await job.finish()).toBe('the decoder was killed by signal 9');
  });

  it.each(['exit 141', 'kill -PIPE $$'])('that noticed its reader leave has not failed: %s', async (end) => {
    const job = await opened(`cat; ${end}`);
    expect(await text(job)).toBe('payload');
    expect(await job.finish()).toBeUndefined();
  });

  it('that puts out less than a header is told with its exit code', async () => {
    const before = openDescriptors();
    expect(await openPacket(realMachine, path, decoder('exit 3'))).toMatchObject({
      kind: 'damaged',
      damage: 'empty',
      message: 'the decoder ended with exit code 3; it is empty',
    });
    expect(await openPacket(realMachine, path, decoder('head -c 40; exit 4'))).toMatchObject({
      damage: 'truncated',
      message: expect.stringMatching(/^the decoder ended with exit code 4; it ends after 10 /),
    });
    expect(await openPacket(realMachine, path, decoder(''))).toMatchObject({ message: 'it is empty' });
    expect(openDescriptors()).toEqual(before);
  });

  it('whose output is something else is ended', async () => {
    const before = openDescriptors();
    expect(await openPacket(realMachine, path, decoder('exec yes'))).toMatchObject({ damage: 'tag' });
    const machine = machineWith({ clock: manualClock() });
    const waiting = decoder('echo this is no packet, but long enough for one; sleep 1000');
    expect(await openPacket(machine, path, waiting)).toMatchObject({ damage: 'tag' });
    expect(openDescriptors()).toEqual(before);
  });

  it('that is not there is told by its shell', async () => {
    expect(await openPacket(realMachine, path, decoder('no-such-decoder 2>/dev/null'))).toMatchObject({
      message: 'the decoder ended with exit code 127; it is empty',
    });
  });

  it('that is still thinking when we must stop is ended', async () => {
    const before = openDescriptors();
    const controller = new AbortController();
    const thinking = { ...decoder(`echo > ${temporary.path('begun')}; sleep 1000`), stop: controller.signal };
    const opening = openPacket(realMachine, path, thinking);
    while (!existsSync(temporary.path('begun'))) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    expect(await opening).toMatchObject({ kind: 'damaged', damage: 'empty' });
    expect(openDescriptors()).toEqual(before);
  });

  it('that is begun when we must stop already is ended', async () => {
    const thinking = { ...decoder('sleep 1000'), stop: AbortSignal.abort() };
    expect(await openPacket(realMachine, path, thinking)).toMatchObject({ kind: 'damaged', damage: 'empty' });
  });

  it.each(['discard', 'finish'] as const)(
    'that is done with by %s listens no more for a stop',
    async (end) => {
      const { signal } = new AbortController();
      const job = await openPacket(realMachine, path, { ...decoder('cat'), stop: signal });
      if (job.kind === 'damaged') throw new Error(job.message);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      await job[end]();
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    },
  );

  it('whose shell is not there cannot start', async () => {
    const before = openDescriptors();
    const missing: Decoder = { ...decoder('cat'), shell: temporary.path('no-shell') };
    await expect(openPacket(realMachine, path, missing)).rejects.toMatchObject({
      code: 'decoder-failed',
      message: `cannot start the decoder's shell ${missing.shell}: no such file or directory`,
      cause: { code: 'ENOENT' },
    });
    expect(openDescriptors()).toEqual(before);
  });

  it('does not fail when nobody reads all that it puts out', async () => {
    const job = await opened('cat; exec yes');
    expect(await job.finish()).toBeUndefined();
    const large = await opened(`cat; head -c 10000000 /dev/zero`);
    expect(await large.finish()).toBeUndefined();
    const complaining = await opened('cat; yes || exit 7');
    expect(await complaining.finish()).toBeUndefined();
  });

  it('that ends when its output is discarded is not sent a signal', async () => {
    const told = temporary.path('told');
    const job = await opened(`trap 'echo > ${told}' TERM; cat; yes`, machineWith({ clock: alarmClock() }));
    await job.discard();
    expect(existsSync(told)).toBe(false);
  });

  it('is ended with all it started when its output is discarded', async () => {
    const file = temporary.path('pid');
    const job = await opened(`cat; sleep 1000 & echo $! > ${file}; wait`);
    const pid = await noted(file);
    await job.discard();
    await eventually(() => expect(isRunning(pid)).toBe(false));
  });

  it('that ignores TERM is killed after two seconds', async () => {
    const clock = manualClock();
    const file = temporary.path('pid');
    const job = await opened(
      `trap '' TERM; cat; echo $$ > ${file}; sleep 1000; sleep 1000`,
      machineWith({ clock }),
    );
    const pid = await noted(file);
    await job.discard();
    expect(clock.waitedMs).toBeGreaterThanOrEqual(2000);
    await eventually(() => expect(isRunning(pid)).toBe(false));
  });
});

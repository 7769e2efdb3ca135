import { mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { writeChunks } from '../../src/queue/payload.ts';
import { addPacket } from '../../src/spool/add.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { failEachCall, faultyFiles } from '../support/faulty-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { litterOf, packet } from '../support/packets.ts';
import { CHANGES, recordingFiles } from '../support/recording-files.ts';
import { openDescriptors, useTemporary } from '../support/temporary.ts';

const { files: real } = realMachine;
const temporary = useTemporary();
let queue: string;

beforeEach(async () => {
  queue = temporary.path('queue');
  await createSpool(realMachine, queue);
});

async function withInput<T>(bytes: Uint8Array, use: (source: Descriptor) => Promise<T>): Promise<T> {
  const path = temporary.path('input');
  writeFileSync(path, bytes);
  const source = await real.open(path, 'read');
  try {
    return await use(source);
  } finally {
    await real.close(source);
  }
}

const bytes = packet({ seq: 1, payload: 'payload' });

describe('addPacket', () => {
  it('adds the bytes as they are, under a new name', async () => {
    const added = await withInput(bytes, (source) => addPacket(realMachine, queue, source));
    expect(added.name).toMatch(
      /^fspl-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.fspl$/,
    );
    expect(added).toMatchObject({
      path: `${queue}/jobs/${added.name}`,
      size: bytes.length,
      nameSync: 'synced',
    });
    expect(readFileSync(added.path)).toEqual(bytes);
    expect(litterOf(queue)).toEqual([]);
  });

  it('does not look at what it adds', async () => {
    const junk = Buffer.from('encrypted, for all we know');
    const added = await withInput(junk, (source) => addPacket(realMachine, queue, source));
    expect(readFileSync(added.path)).toEqual(junk);
  });

  it('needs no lock and makes no sequence file', async () => {
    const before = readdirSync(queue).sort();
    await withInput(bytes, (source) => addPacket(realMachine, queue, source));
    expect(readdirSync(queue).sort()).toEqual(before);
  });

  it('syncs the content before the rename and the name after it', async () => {
    const recording = recordingFiles(real);
    await withInput(bytes, (source) => addPacket(machineWithFiles(recording.files), queue, source));
    expect(recording.told(queue, ...CHANGES)).toEqual([
      'write jobs/tmp-fspl-ID.fspl.tmp',
      'fsync jobs/tmp-fspl-ID.fspl.tmp',
      'rename jobs/tmp-fspl-ID.fspl.tmp jobs/fspl-ID.fspl',
      'fsync jobs',
    ]);
  });

  it('at level crash-safe syncs nothing', async () => {
    const recording = recordingFiles(real);
    const machine = machineWithFiles(recording.files);
    await withInput(bytes, (source) => addPacket(machine, queue, source, 'crash-safe'));
    expect(recording.told(queue, 'fsync', 'fsyncAside')).toEqual([]);
  });

  it('refuses an empty input', async () => {
    await expect(
      withInput(Buffer.alloc(0), (source) => addPacket(realMachine, queue, source)),
    ).rejects.toMatchObject({ code: 'packet-empty', message: 'the input is empty, so nothing was queued' });
    expect(readdirSync(`${queue}/jobs`)).toEqual([]);
  });

  it('refuses a pipe whose writer died in the middle', async () => {
    const { readEnd, writeEnd } = await realMachine.processes.pipe();
    await real.fchmod(writeEnd, 0o1600);
    await real.write(writeEnd, bytes);
    await real.close(writeEnd);
    await expect(addPacket(realMachine, queue, readEnd)).rejects.toMatchObject({
      code: 'packet-incomplete',
      message: `the input ended after ${bytes.length} bytes in the middle of a packet, so nothing was queued`,
    });
    await real.close(readEnd);
    expect(readdirSync(`${queue}/jobs`)).toEqual([]);
  });

  it('passes on what is wrong with the input', async () => {
    const directory = openSync(temporary.path(), 'r') as Descriptor;
    await expect(addPacket(realMachine, queue, directory)).rejects.toMatchObject({ code: 'EISDIR' });
    await real.close(directory);
    expect(readdirSync(`${queue}/jobs`)).toEqual([]);
  });

  it('says when there is no queue', async () => {
    rmSync(`${queue}/jobs`, { recursive: true });
    const add = () => withInput(bytes, (source) => addPacket(realMachine, queue, source));
    const message = `${queue}: it has no jobs directory, so it is not a queue`;
    await expect(add()).rejects.toMatchObject({ code: 'not-a-queue', message, cause: { code: 'ENOENT' } });
    writeFileSync(`${queue}/jobs`, 'a file');
    await expect(add()).rejects.toMatchObject({ code: 'not-a-queue', message, cause: { code: 'ENOTDIR' } });
  });

  it.each(['EIO', 'ENOSPC'])('with %s from any call adds the job whole or not at all', async (code) => {
    let round = 0;
    const calls = await failEachCall(real, code, async (faulty, failed) => {
      const place = temporary.path(`queue-${round++}`);
      mkdirSync(`${place}/jobs`, { recursive: true });
      await withInput(bytes, async (source) => {
        const before = openDescriptors();
        const outcome = await addPacket(machineWithFiles(faulty), place, source).catch((e: unknown) => e);
        expect(openDescriptors()).toEqual(before);
        const visible = readdirSync(`${place}/jobs`).filter((name) => name.startsWith('fspl-'));
        const reported = !(outcome instanceof Error) || ('code' in outcome && outcome.code === 'not-durable');
        expect(visible).toHaveLength(reported ? 1 : 0);
        for (const name of visible) expect(readFileSync(`${place}/jobs/${name}`)).toEqual(bytes);
        expect(litterOf(place)).toEqual([]);
        if (failed() === undefined) expect(outcome).not.toBeInstanceOf(Error);
      });
      const again = await withInput(bytes, (source) => addPacket(realMachine, place, source));
      expect(readFileSync(again.path)).toEqual(bytes);
    });
    expect(calls).toBe(12);
  });

  it('leaves only a temporary name when not even the clean-up works', async () => {
    let broken = false;
    const files = faultyFiles(real, ({ name }) => {
      if (name === 'fsync') broken = true;
      return broken && name !== 'close' ? 'EIO' : undefined;
    });
    await expect(
      withInput(bytes, (source) => addPacket(machineWithFiles(files), queue, source)),
    ).rejects.toMatchObject({ code: 'EIO' });
    expect(readdirSync(`${queue}/jobs`)).toEqual(litterOf(queue));
    expect(litterOf(queue)).toHaveLength(1);
  });
});

describe('writeChunks', () => {
  it('counts the bytes it writes', async () => {
    const path = temporary.path('chunks');
    const target = await real.open(path, 'create');
    const chunks = [Buffer.from('ab'), Buffer.of(), 'é'];
    expect(await writeChunks(realMachine, target, chunks)).toBe(4);
    await real.close(target);
    expect(readFileSync(path, 'utf8')).toBe('abé');
  });
});

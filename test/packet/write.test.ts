import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Descriptor, Files } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { encodeHeader } from '../../src/packet/encode.ts';
import { type PacketHeader, sequence } from '../../src/packet/header.ts';
import { writePacket } from '../../src/packet/write.ts';
import { faultyFiles } from '../support/faulty-files.ts';
import { useTemporary } from '../support/temporary.ts';

const { files: real } = realMachine;
const temporary = useTemporary();

const HEADER: PacketHeader = { seq: sequence(7), ctime: { seconds: 1n, nanos: 2 }, work: { kind: 'nop' } };
const head = () => Buffer.from(encodeHeader(HEADER));

/** Writes a packet to the file `out`; its payload is `payload`, when given. */
async function write(files: Files, payload?: string): Promise<void> {
  const open: Descriptor[] = [];
  const opened = async (name: string, mode: 'read' | 'create') => {
    const descriptor = await files.open(temporary.path(name), mode);
    open.push(descriptor);
    return descriptor;
  };
  if (payload !== undefined) writeFileSync(temporary.path('payload'), payload);
  try {
    const target = await opened('out', 'create');
    await writePacket(
      files,
      target,
      HEADER,
      payload === undefined ? undefined : await opened('payload', 'read'),
    );
  } finally {
    for (const descriptor of open) await files.close(descriptor);
  }
}

function written() {
  return readFileSync(temporary.path('out'));
}

function isMarked(): boolean {
  return (statSync(temporary.path('out')).mode & 0o1000) !== 0;
}

test('a packet is its header and all of its payload, and is not marked', async () => {
  await write(real, 'payload');
  expect(written()).toEqual(Buffer.concat([head(), Buffer.from('payload')]));
  expect(isMarked()).toBe(false);
});

test('a packet without payload is its header', async () => {
  await write(real);
  expect(written()).toEqual(head());
  expect(isMarked()).toBe(false);
});

test('a packet whose payload breaks off stays marked', async () => {
  const files = faultyFiles(real, ({ name }) => (name === 'read' ? 'EIO' : undefined));
  await expect(write(files, 'payload')).rejects.toMatchObject({ code: 'EIO' });
  expect(written()).toEqual(head());
  expect(isMarked()).toBe(true);
});

test('a packet is marked before its first byte', async () => {
  const files = faultyFiles(real, ({ name }) => (name === 'write' ? 'EIO' : undefined));
  await expect(write(files, 'payload')).rejects.toMatchObject({ code: 'EIO' });
  expect(written()).toHaveLength(0);
  expect(isMarked()).toBe(true);
});

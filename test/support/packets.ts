/** Job files made by hand. */

import { readdirSync, writeFileSync } from 'node:fs';
import { encodeHeader } from '../../src/packet/encode.ts';
import { sequence, type Work } from '../../src/packet/header.ts';

export type PacketParts = {
  readonly seq: bigint | number;
  readonly payload?: string | Uint8Array;
  readonly work?: Work;
  readonly seconds?: bigint;
  readonly nanos?: number;
};

const NOTHING_TO_DO: Work = { kind: 'command', params: [], env: [] };

export function packet({
  seq,
  payload = '',
  work = NOTHING_TO_DO,
  seconds = 1n,
  nanos = 0,
}: PacketParts): Buffer {
  const head = encodeHeader({ seq: sequence(seq), ctime: { seconds, nanos }, work });
  return Buffer.concat([head, Buffer.from(payload)]);
}

/** Puts a job into a queue as another program would; returns its file name. */
export function putJob(queue: string, name: string, parts: PacketParts): string {
  const file = `fspl-${name}.fspl`;
  writeFileSync(`${queue}/jobs/${file}`, packet(parts));
  return file;
}

/** Names in the queue's directory of jobs that are not jobs. */
export function litterOf(queue: string): string[] {
  return readdirSync(`${queue}/jobs`).filter((name) => !/^fspl-.*\.fspl$/.test(name));
}

/** A queue directory as it lies on the disk, read without any of the programs under test. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeAfterPrefix, decodePrefix } from '../../../src/packet/decode.ts';
import { PREFIX_BYTES } from '../../../src/packet/header.ts';

export type FoundJob = { readonly name: string; readonly seq: number; readonly payload: Buffer };

export type Found = {
  readonly jobs: readonly FoundJob[];
  /** Files with the name of a job that are none. */
  readonly damaged: readonly string[];
  /** Names that are neither jobs nor temporary. */
  readonly strange: readonly string[];
  readonly temporary: readonly string[];
  /** Undefined when it cannot be read as a number. */
  readonly next: number | undefined;
};

const QUEUE_NAMES = ['jobs', 'nextseq', 'nextseq.lock', 'nextseq.temp'];

/** The temporary names of both programs. */
const TEMPORARY = /^tmp-fspl-.*\.tmp$|^fspl-.*\.tmp$|\.temp$/;

export function lookInto(queue: string): Found {
  const jobs: FoundJob[] = [];
  const damaged: string[] = [];
  const strange = readdirSync(queue).filter((name) => !QUEUE_NAMES.includes(name));
  const temporary: string[] = [];
  for (const name of readdirSync(join(queue, 'jobs'))) {
    if (/^fspl-.*\.fspl$/.test(name)) {
      const packet = readPacket(readFileSync(join(queue, 'jobs', name)));
      if (packet === undefined) damaged.push(name);
      else jobs.push({ name, ...packet });
    } else if (TEMPORARY.test(name)) temporary.push(name);
    else strange.push(name);
  }
  jobs.sort((one, other) => one.seq - other.seq);
  return { jobs, damaged, strange, temporary, next: readNumber(join(queue, 'nextseq')) };
}

export function readPacket(bytes: Buffer): { seq: number; payload: Buffer } | undefined {
  const prefix = decodePrefix(bytes.subarray(0, PREFIX_BYTES));
  if (prefix.kind !== 'prefix') return undefined;
  const end = PREFIX_BYTES + prefix.metadataLength;
  const header = decodeAfterPrefix(prefix, bytes.subarray(PREFIX_BYTES, end));
  if (header.kind !== 'header') return undefined;
  return { seq: Number(header.header.seq), payload: bytes.subarray(end) };
}

function readNumber(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return /^\d+\n?$/.test(text) ? Number.parseInt(text, 10) : undefined;
  } catch {
    return undefined;
  }
}

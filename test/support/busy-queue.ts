/** A long queue, and processes that work it. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeHeader } from '../../src/packet/encode.ts';
import type { Sequence } from '../../src/packet/header.ts';
import { formatJobName } from '../../src/spool/home/job-name.ts';
import { ROOMS } from '../../src/spool/home/rooms.ts';

const FIRST_MS = 1_795_219_200_000;
/** One of so many has a lane. */
const LANED = 100;
const LANES = 50;

/**
 * A queue as many adders would have left it, in a hundredth of the time: `count` jobs, some of them in lanes, those of
 * the lane `broken` among them.
 */
export function fillQueue(path: string, count: number): void {
  mkdirSync(join(path, 'jobs'), { recursive: true });
  writeFileSync(join(path, 'nextseq'), '1\n');
  writeFileSync(join(path, 'nextseq.lock'), '');
  writeFileSync(join(path, 'settings.json'), '{"order":"free"}\n');
  for (const room of ROOMS) mkdirSync(join(path, room));
  const inLane = new Map<string, number>();
  for (let number = 1; number <= count; number++) {
    const lane = number % LANED === 0 ? laneOf(number / LANED) : undefined;
    const turn = lane === undefined ? number : (inLane.get(lane) ?? 0) + 1;
    if (lane !== undefined) inLane.set(lane, turn);
    putFile(path, { addedMs: FIRST_MS + number, seq: BigInt(turn) as Sequence, lane, param: `job${number}` });
  }
}

/** A job that nobody may start yet: to add one in the usual way takes as long as to find a number among so many. */
export function putDelayed(path: string, notBeforeMs: number): void {
  putFile(path, { addedMs: FIRST_MS, notBeforeMs, seq: 0n as Sequence, lane: undefined, param: 'news' });
}

type FileParts = {
  readonly addedMs: number;
  readonly notBeforeMs?: number;
  readonly seq: Sequence;
  readonly lane: string | undefined;
  readonly param: string;
};

function putFile(path: string, { addedMs, notBeforeMs = 0, seq, lane, param }: FileParts): void {
  const said = { priority: 50, addedMs, notBeforeMs, held: false, attempts: 0, seq, lane };
  const name = formatJobName({ ...said, stem: crypto.randomUUID() });
  const env = lane === undefined ? [] : [['INTRAY_LANE', lane] as const];
  const work = { kind: 'command', params: [param], env } as const;
  const ctime = { seconds: BigInt(Math.floor(addedMs / 1000)), nanos: 0 };
  writeFileSync(join(path, 'jobs', name), encodeHeader({ seq, ctime, work }));
}

function laneOf(turn: number): string {
  return turn % LANES === 1 ? 'broken' : `lane${turn % LANES}`;
}

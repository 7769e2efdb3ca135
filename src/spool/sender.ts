/** A sender: whoever gives numbers to jobs. One sequence file is one sender, and one order. */

import type { Machine } from '../os/ports.ts';
import { following, type PacketHeader, type Sequence, sequence, type Work } from '../packet/header.ts';
import { type LockOptions, lockSequence } from './sequence-file.ts';

/** The path of a sequence file, or `-` for none: then every number is 1. */
export const NO_SEQUENCE_FILE = '-';

/** How long a sender waits while others take their numbers. */
export const SENDER_WAIT_MS = 10_000;

const SENDER_LOCK: LockOptions = { create: true, waitMs: SENDER_WAIT_MS };

/** Takes the next number, for good: whatever happens to the packet, it is not given out again. */
export async function takeNumber(machine: Machine, path: string): Promise<Sequence> {
  if (path === NO_SEQUENCE_FILE) return sequence(1);
  const file = await lockSequence(machine, path, SENDER_LOCK);
  try {
    const number = await file.read();
    await file.write(following(number));
    return number;
  } finally {
    await file.close();
  }
}

/** The number the next packet will get. */
export async function peekNumber(machine: Machine, path: string): Promise<Sequence> {
  const file = await lockSequence(machine, path, SENDER_LOCK);
  try {
    return await file.read();
  } finally {
    await file.close();
  }
}

/** Sets the number the next packet will get. */
export async function setNumber(machine: Machine, path: string, next: Sequence): Promise<void> {
  const file = await lockSequence(machine, path, SENDER_LOCK);
  try {
    await file.read();
    await file.write(next);
  } finally {
    await file.close();
  }
}

/** The header of a new packet: the next number, and now. */
export async function newHeader(machine: Machine, path: string, work: Work): Promise<PacketHeader> {
  const seq = await takeNumber(machine, path);
  return { seq, ctime: machine.clock.now(), work };
}

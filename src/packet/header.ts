/**
 * What a Filespooler packet says before its payload.
 *
 * | offset     | bytes   | what                                                    |
 * |------------|---------|---------------------------------------------------------|
 * | 0          | 12      | ASCII `*FILESPOOLER`                                    |
 * | 12         | 2       | version, u16 big-endian: 1                              |
 * | 14         | 8       | metalen, u64 big-endian: length of the metadata         |
 * | 22         | 4       | CRC-32 of the metadata, big-endian                      |
 * | 26         | 4       | CRC-32 of bytes 0 to 25, big-endian                     |
 * | 30         | metalen | metadata, MessagePack: see metadata.ts                  |
 * | 30+metalen | rest    | payload: raw, without length or checksum                |
 *
 * Format facts: observed on Filespooler 1.2.2; `man fspl`, "JOB FILES".
 */

import type { Timestamp } from '../os/ports.ts';

export const TAG = '*FILESPOOLER';
export const VERSION = 1;
export const PREFIX_BYTES = 30;

/** Most metadata accepted by default. The length field could claim 2^64 bytes; nothing is allocated for it. */
export const METADATA_LIMIT_BYTES = 1024 * 1024;

/** A job's number in its sender's order: 0 to 2^64-1. */
export type Sequence = bigint & { readonly __sequence: unique symbol };

export const LAST_SEQUENCE = 0xffff_ffff_ffff_ffffn as Sequence;

/** The number as a Sequence. Throws a RangeError when it does not fit in 64 unsigned bits. */
export function sequence(value: bigint | number): Sequence {
  const number = BigInt(value);
  if (number < 0n || number > LAST_SEQUENCE) {
    throw new RangeError(`Expected a sequence number from 0 to ${LAST_SEQUENCE}, got ${number}`);
  }
  return number as Sequence;
}

/** The number that follows; after the last comes 0. */
export function following(number: Sequence): Sequence {
  return (number === LAST_SEQUENCE ? 0n : number + 1n) as Sequence;
}

const HALF_OF_ALL = 1n << 63n;

/** Whether a number comes before another, the two being less than half of all numbers apart. */
export function precedes(number: Sequence, other: Sequence): boolean {
  return number !== other && BigInt.asUintN(64, other - number) < HALF_OF_ALL;
}

export type PacketHeader = {
  readonly seq: Sequence;
  /** When the packet was made, by its sender's clock. */
  readonly ctime: Timestamp;
  readonly work: Work;
};

/** `nop` always succeeds and `fail` always fails, neither runs anything. */
export type Work = CommandWork | { readonly kind: 'nop' } | { readonly kind: 'fail' };

export type CommandWork = {
  readonly kind: 'command';
  readonly params: readonly string[];
  /** Pairs of a name without its `FSPL_SET_` prefix and a value, in the sender's order. */
  readonly env: readonly (readonly [name: string, value: string])[];
};

/** Why these bytes are not a packet. */
export type Damage = {
  readonly kind: 'damaged';
  readonly damage:
    | 'empty'
    | 'truncated'
    | 'tag'
    | 'version'
    | 'prefix-checksum'
    | 'metadata-too-large'
    | 'metadata-checksum'
    | 'shape'
    | 'timestamp';
  /** A sentence without its full stop. */
  readonly message: string;
};

export type HeaderResult = { readonly kind: 'header'; readonly header: PacketHeader } | Damage;

export function damaged(damage: Damage['damage'], message: string): Damage {
  return { kind: 'damaged', damage, message };
}

/// <reference path="./bun-ffi.d.ts" />
/**
 * How far local time is from UTC, by the C library. In Bun the first local time of a `Date` takes 8 ms, for which ICU reads its
 * tables; localtime_r takes 0.2. Both know TZ and /etc/localtime.
 */

import { openLibrary } from './native-signatures.ts';

type LocalTime = (seconds: BigInt64Array, into: Uint8Array) => number;

/** `struct tm` on all 64-bit systems that have tm_gmtoff: nine ints, four bytes of padding, a long. */
const GMTOFF_AT = 40;
const STRUCT_BYTES = 64;

let bound: LocalTime | undefined;

/** Undefined where nobody has the time: in a runtime without bun:ffi, or for a year that C does not know. */
export function localOffsetSeconds(seconds: bigint): number | undefined {
  const call = bound ?? bind();
  if (call === undefined) return undefined;
  bound = call;
  const broken = new Uint8Array(STRUCT_BYTES);
  if (call(BigInt64Array.of(seconds), broken) === 0) return undefined;
  return Number(new DataView(broken.buffer).getBigInt64(GMTOFF_AT, true));
}

function bind(): LocalTime | undefined {
  if (!('bun' in process.versions)) return undefined;
  const ffi = process.getBuiltinModule('bun:ffi') as typeof import('bun:ffi');
  const symbols = { localtime_r: { args: ['ptr', 'ptr'], returns: 'ptr' } };
  const { localtime_r: call } = openLibrary((name) => ffi.dlopen(name, symbols).symbols);
  return call as LocalTime | undefined;
}

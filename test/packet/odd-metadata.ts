/**
 * Metadata that no writer of packets makes: three tables, each checked against our reader and the original (1.2.2).
 */

import { type PacketHeader, sequence, type Work } from '../../src/packet/header.ts';
import { bytesOf, CTIME, command, map, NOP, type Piece, SEQ, text } from './packets.ts';

export type Accepted = { readonly metadata: Uint8Array; readonly header: PacketHeader };

const ONE_COMMAND: Work = { kind: 'command', params: ['a'], env: [] };
const NO_COMMAND: Work = { kind: 'command', params: [], env: [] };

const P1 = [0x91, 0x91, 0x61];
const NONE = 0x90;
const REST = [text('params'), NONE, text('env'), NONE];

function seq(...value: Piece[]): Uint8Array {
  return map([text('seq'), value], CTIME, NOP);
}

function ctime(...value: Piece[]): Uint8Array {
  return map(SEQ, [text('ctime'), value], NOP);
}

function cmdType(...value: Piece[]): Uint8Array {
  return map(SEQ, CTIME, [text('cmd_type'), value]);
}

function commandOf(params: Piece, env: Piece = NONE): Uint8Array {
  return map(SEQ, CTIME, command(params, env));
}

/** One more entry than there should be. */
function extra(...entry: Piece[]): Uint8Array {
  return map(SEQ, CTIME, NOP, entry);
}

function nested(depth: number): Uint8Array {
  return extra(text('x'), Array<number>(depth).fill(0x91), 1);
}

function as(metadata: Uint8Array, work: Work = { kind: 'nop' }, seconds = 1n): Accepted {
  return { metadata, header: { seq: sequence(1), ctime: { seconds, nanos: 2 }, work } };
}

/** Read, by us and by the original. */
export const ACCEPTED: Readonly<Record<string, Accepted>> = {
  'keys in another order': as(map(NOP, CTIME, SEQ)),
  'a map of 16 bits': as(bytesOf(0xde, 0, 3, SEQ, CTIME, NOP)),
  'a map of 32 bits': as(bytesOf(0xdf, 0, 0, 0, 3, SEQ, CTIME, NOP)),
  'a key of 8 bits': as(map([0xd9, 3, 'seq', 1], CTIME, NOP)),
  'a key of 16 bits': as(map([0xda, 0, 3, 'seq', 1], CTIME, NOP)),
  'a key of 32 bits': as(map([0xdb, 0, 0, 0, 3, 'seq', 1], CTIME, NOP)),
  'seq in u8': as(seq(0xcc, 1)),
  'seq in u16': as(seq(0xcd, 0, 1)),
  'seq in u32': as(seq(0xce, 0, 0, 0, 1)),
  'seq in u64': as(seq(0xcf, 0, 0, 0, 0, 0, 0, 0, 1)),
  'seq in i8': as(seq(0xd0, 1)),
  'seq in i16': as(seq(0xd1, 0, 1)),
  'seq in i32': as(seq(0xd2, 0, 0, 0, 1)),
  'seq in i64': as(seq(0xd3, 0, 0, 0, 0, 0, 0, 0, 1)),
  'ctime in an array of 16 bits': as(ctime(0xdc, 0, 2, 1, 2)),
  'ctime in an array of 32 bits': as(ctime(0xdd, 0, 0, 0, 2, 1, 2)),
  'ctime before 1970': as(ctime(0x92, 0xff, 2), { kind: 'nop' }, -1n),
  'a cmd_type of 8 bits': as(cmdType(0xd9, 4, 'Fail'), { kind: 'fail' }),
  'a Command in a map of 16 bits': as(cmdType(0xde, 0, 1, text('Command'), 0x82, REST), NO_COMMAND),
  'env before params': as(
    cmdType(0x81, text('Command'), map([text('env'), NONE], [text('params'), P1])),
    ONE_COMMAND,
  ),
  'an unknown key in a Command': as(cmdType(0x81, text('Command'), 0x83, REST, text('x'), 1), NO_COMMAND),
  'params in an array of 16 bits': as(commandOf([0xdc, 0, 1, 0x91, 0x61]), ONE_COMMAND),
  'params in an array of 32 bits': as(commandOf([0xdd, 0, 0, 0, 1, 0x91, 0x61]), ONE_COMMAND),
  'a parameter in an array of 16 bits': as(commandOf([0x91, 0xdc, 0, 1, 0x61]), ONE_COMMAND),
  'a parameter in an array of 32 bits': as(commandOf([0x91, 0xdd, 0, 0, 0, 1, 0x61]), ONE_COMMAND),
  'a byte in u8': as(commandOf([0x91, 0x91, 0xcc, 0x61]), ONE_COMMAND),
  'a byte in i64': as(commandOf([0x91, 0x91, 0xd3, 0, 0, 0, 0, 0, 0, 0, 0x61]), ONE_COMMAND),
  'a variable in an array of 16 bits': as(commandOf(NONE, [0x91, 0xdc, 0, 2, 0x91, 0x61, 0x90]), {
    ...NO_COMMAND,
    env: [['a', '']],
  }),
  'one name twice in env': as(commandOf(NONE, [0x92, 0x92, 0x91, 0x61, 0x90, 0x92, 0x91, 0x61, 0x90]), {
    ...NO_COMMAND,
    env: [
      ['a', ''],
      ['a', ''],
    ],
  }),
  'an unknown key': as(extra(text('x'), text('y'))),
  'an unknown key that begins like a known one': as(extra(text('seqs'), 9)),
  'an unknown key of 31 bytes': as(extra(text('k'.repeat(31)), 9)),
  'an unknown string of 31 bytes': as(extra(text('x'), text('y'.repeat(31)))),
  'an unknown array of 15': as(extra(text('x'), 0x9f, Array<number>(15).fill(1))),
  'an unknown map of 15': as(extra(text('x'), 0x8f, Array<number>(30).fill(1))),
  'a map of 15': as(map(SEQ, CTIME, NOP, ...Array<Piece>(12).fill([text('x'), 1]))),
  'params of 15': as(commandOf([0x9f, Array<number>(15).fill(NONE)]), {
    ...NO_COMMAND,
    params: Array<string>(15).fill(''),
  }),
  'an unknown key twice': as(bytesOf(0x85, SEQ, CTIME, NOP, text('x'), 1, text('x'), 2)),
  'an empty key': as(extra(0xa0, 1)),
  'a key that is not UTF-8': as(extra(0xa1, 0xff, 1)),
  'an unknown string that is not UTF-8': as(extra(text('x'), 0xa1, 0xff)),
  'an unknown nil': as(extra(text('x'), 0xc0)),
  'an unknown true': as(extra(text('x'), 0xc3)),
  'an unknown f32': as(extra(text('x'), 0xca, 1, 2, 3, 4)),
  'an unknown f64': as(extra(text('x'), 0xcb, 1, 2, 3, 4, 5, 6, 7, 8)),
  'an unknown bin': as(extra(text('x'), 0xc4, 2, 1, 2)),
  'an unknown bin of 32 bits': as(extra(text('x'), 0xc6, 0, 0, 0, 2, 1, 2)),
  'an unknown ext': as(extra(text('x'), 0xc7, 2, 5, 1, 2)),
  'an unknown ext of no bytes': as(extra(text('x'), 0xc7, 0, 5)),
  'an unknown ext of 32 bits': as(extra(text('x'), 0xc9, 0, 0, 0, 2, 5, 1, 2)),
  'an unknown fixext': as(extra(text('x'), 0xd8, 5, Array<number>(16).fill(1))),
  'an unknown array in an array': as(extra(text('x'), 0x92, 1, 0x91, 2)),
  'an unknown map with an array for a key': as(extra(text('x'), 0x81, 0x91, 1, 2)),
  'an unknown value 32 deep': as(nested(32)),
  'bytes after the map': as(bytesOf(map(SEQ, CTIME, NOP), 0)),
  'a second map after the map': as(bytesOf(map(SEQ, CTIME, NOP), map(SEQ, CTIME, NOP))),
  'a leap second of 1000000000 ns': {
    metadata: ctime(0x92, 1, 0xce, 0x3b, 0x9a, 0xca, 0),
    header: { seq: sequence(1), ctime: { seconds: 1n, nanos: 1_000_000_000 }, work: { kind: 'nop' } },
  },
  'a time in the year 10000': as(
    ctime(0x92, 0xcf, 0, 0, 0, 0x3a, 0xff, 0xf4, 0x41, 0x80, 2),
    { kind: 'nop' },
    253_402_300_800n,
  ),
};

/** Refused, by us and by the original. */
export const REFUSED: Readonly<Record<string, Uint8Array>> = {
  nothing: bytesOf(),
  'an empty map': map(),
  nil: bytesOf(0xc0),
  'a string': text('NOP'),
  'an integer': bytesOf(1),
  'a byte that begins no value': bytesOf(0xc1),
  'a map of two entries that says three': bytesOf(0x83, SEQ, CTIME),
  'a list around the map': bytesOf(0x91, map(SEQ, CTIME, NOP)),
  'an array of two fields': bytesOf(0x92, 1, 0x92, 1, 2),
  'no seq': map(CTIME, NOP),
  'no ctime': map(SEQ, NOP),
  'no cmd_type': map(SEQ, CTIME),
  'seq twice': map(SEQ, SEQ, CTIME, NOP),
  'ctime twice': map(SEQ, CTIME, CTIME, NOP),
  'cmd_type twice': map(SEQ, CTIME, NOP, NOP),
  'a key that is nil': extra(0xc0, 1),
  'a key that is true': extra(0xc3, 1),
  'a key that is negative': extra(0xff, 1),
  'a key that is an array': extra(NONE, 1),
  'a negative seq': seq(0xff),
  'a negative seq in i64': seq(0xd3, Array<number>(8).fill(0xff)),
  'a seq that is a float': seq(0xca, 0x3f, 0x80, 0, 0),
  'a seq that is a string': seq(text('1')),
  'a seq that is nil': seq(0xc0),
  'a seq that is an array': seq(0x91, 1),
  'ctime of one number': ctime(0x91, 1),
  'ctime of three numbers': ctime(0x93, 1, 2, 3),
  'ctime that is a map': ctime(0x82, text('secs'), 1, text('nanos'), 2),
  'ctime of floats': ctime(0x92, 0xca, 0x3f, 0x80, 0, 0, 2),
  'nanoseconds below zero': ctime(0x92, 1, 0xff),
  'nanoseconds of more than 32 bits': ctime(0x92, 1, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0),
  'seconds of more than 63 bits': ctime(0x92, 0xcf, Array<number>(8).fill(0xff), 2),
  'a cmd_type in lower case': cmdType(text('fail')),
  'a cmd_type that is nil': cmdType(0xc0),
  'a cmd_type of no entries': cmdType(0x80),
  'a cmd_type of two entries': cmdType(0x82, text('Command'), 0x82, REST, text('x'), 1),
  'a cmd_type in a list': cmdType(0x91, text('NOP')),
  'a NOP with content': cmdType(0x81, text('NOP'), 1),
  'a Command without content': cmdType(text('Command')),
  'a Command of nil': cmdType(0x81, text('Command'), 0xc0),
  'a Command without env': cmdType(0x81, text('Command'), 0x81, text('params'), NONE),
  'a Command without params': cmdType(0x81, text('Command'), 0x81, text('env'), NONE),
  'a Command with env twice': cmdType(0x81, text('Command'), 0x83, REST, text('env'), NONE),
  'params that are nil': commandOf(0xc0),
  'params that are a map': commandOf(0x80),
  'a parameter that is a string': commandOf([0x91, text('abc')]),
  'a parameter that is a bin': commandOf([0x91, 0xc4, 3, 'abc']),
  'a parameter with 256': commandOf([0x91, 0x91, 0xcd, 1, 0]),
  'a parameter with -1': commandOf([0x91, 0x91, 0xff]),
  'a parameter with a float': commandOf([0x91, 0x91, 0xca, 0x42, 0xc2, 0, 0]),
  'env that is a map': commandOf(NONE, [0x81, 0x91, 0x61, 0x91, 0x62]),
  'a variable of strings': commandOf(NONE, [0x91, 0x92, text('a'), text('b')]),
  'a variable without a value': commandOf(NONE, [0x91, 0x91, 0x91, 0x61]),
  'a variable of three': commandOf(NONE, [0x91, 0x93, NONE, NONE, NONE]),
  'an unknown value that begins with no type': extra(text('x'), 0xc1),
  'an unknown value 2000 deep': nested(2000),
};

/** Refused by us alone: no writer makes these, and each would be one more thing to believe of a damaged packet. */
export const ONLY_ORIGINAL_ACCEPTS: Readonly<Record<string, Uint8Array>> = {
  'the three fields in an array': bytesOf(0x93, 1, 0x92, 1, 2, text('NOP')),
  'a key that is a bin': map([0xc4, 3, 'seq', 1], CTIME, NOP),
  'a key that is the number of the field': map([0, 1], CTIME, NOP),
  'a key that is any other number': extra(0x63, 1),
  'a cmd_type that is a bin': cmdType(0xc4, 3, 'NOP'),
  'a cmd_type that is the number of the variant': cmdType(1),
  'a NOP with nil': cmdType(0x81, text('NOP'), 0xc0),
  'a Command by number': cmdType(0x81, 0, 0x82, REST),
  'a Command by bin': cmdType(0x81, 0xc4, 7, 'Command', 0x82, REST),
  'a Command whose fields are in an array': cmdType(0x81, text('Command'), 0x92, NONE, NONE),
  'a Command with numbered fields': cmdType(0x81, text('Command'), 0x82, 0, NONE, 1, NONE),
  'an unknown value 33 deep': nested(33),
  'an unknown value 1000 deep': nested(1000),
};

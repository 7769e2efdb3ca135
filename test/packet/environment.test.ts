import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { packetEnvironment } from '../../src/packet/environment.ts';
import { type PacketHeader, sequence, type Work } from '../../src/packet/header.ts';

const ONE_HOUR_AHEAD: Clock = { ...realMachine.clock, utcOffsetSeconds: () => 3600 };

const ABOUT_THE_PACKET = [
  ['FSPL_SEQ', '18446744073709551615'],
  ['FSPL_CTIME_SECS', '1795247893'],
  ['FSPL_CTIME_NANOS', '7'],
  ['FSPL_CTIME_RFC3339_UTC', '2026-11-21T07:58:13Z'],
  ['FSPL_CTIME_RFC3339_LOCAL', '2026-11-21T08:58:13+01:00'],
];

const ABOUT_THE_FILE = [
  ['FSPL_JOB_FILENAME', 'fspl-1.fspl'],
  ['FSPL_JOB_QUEUEDIR', 'q'],
  ['FSPL_JOB_FULLPATH', 'q/jobs/fspl-1.fspl'],
];

const ABOUT_THE_COMMAND = [
  ['FSPL_PARAM_1', '--first'],
  ['FSPL_PARAM_2', ''],
  ['FSPL_SET_LANG', 'de'],
  ['FSPL_SET_EMPTY', ''],
];

const COMMAND: Work = {
  kind: 'command',
  params: ['--first', ''],
  env: [
    ['LANG', 'de'],
    ['EMPTY', ''],
  ],
};

const PLACE = { queue: 'q', filename: 'fspl-1.fspl', path: 'q/jobs/fspl-1.fspl' };

function header(work: Work): PacketHeader {
  return { seq: sequence(2n ** 64n - 1n), ctime: { seconds: 1_795_247_893n, nanos: 7 }, work };
}

describe('what a command is told of its packet', () => {
  test('in a queue: the packet, then the file, then the parameters and variables', () => {
    expect(packetEnvironment(header(COMMAND), ONE_HOUR_AHEAD, PLACE)).toEqual([
      ...ABOUT_THE_PACKET,
      ...ABOUT_THE_FILE,
      ...ABOUT_THE_COMMAND,
    ]);
  });

  test('from standard input: nothing about a file', () => {
    expect(packetEnvironment(header(COMMAND), ONE_HOUR_AHEAD)).toEqual([
      ...ABOUT_THE_PACKET,
      ...ABOUT_THE_COMMAND,
    ]);
  });

  test.each([{ kind: 'nop' }, { kind: 'fail' }] as const)('of $kind: no parameters, no variables', (work) => {
    expect(packetEnvironment(header(work), ONE_HOUR_AHEAD)).toEqual(ABOUT_THE_PACKET);
  });
});

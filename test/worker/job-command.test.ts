import { describe, expect, it } from 'vitest';
import type { Descriptor } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { Work } from '../../src/packet/header.ts';
import { bothTo, commandFor } from '../../src/worker/job-command.ts';
import { machineWith } from '../support/machines.ts';

const machine = machineWith({
  host: {
    ...realMachine.host,
    env: () =>
      new Map([
        ['HOME', '/root'],
        ['FSPL_SEQ', 'old'],
        ['FSPL_PARAM_9', 'stays'],
      ]),
  },
});
const work: Work = { kind: 'command', params: ['--p', '', '--'], env: [] };
const line = { program: 'rsync', args: ['-a', '--'], allowJobParams: true };

describe('commandFor', () => {
  it("adds the job's arguments behind our own, where that is allowed", () => {
    const job = { work, env: [] };
    expect(commandFor(machine, line, job, {}).args).toEqual(['-a', '--', '--p', '', '--']);
    expect(commandFor(machine, { ...line, allowJobParams: false }, job, {}).args).toEqual(['-a', '--']);
    expect(commandFor(machine, line, { work: { kind: 'nop' }, env: [] }, {}).args).toEqual(['-a', '--']);
  });

  it("puts the job's variables over our own, the last of a name winning", () => {
    const env = [
      ['FSPL_SEQ', '7'],
      ['FSPL_SET_A', '1'],
      ['FSPL_SET_A', '2'],
    ] as const;
    expect([...commandFor(machine, line, { work, env }, {}).env]).toEqual([
      ['HOME', '/root'],
      ['FSPL_SEQ', '7'],
      ['FSPL_PARAM_9', 'stays'],
      ['FSPL_SET_A', '2'],
    ]);
  });

  it('passes on the rest', () => {
    const rest = { stdin: 7 as Descriptor, ...bothTo(8 as Descriptor), group: 'ours' as const };
    expect(commandFor(machine, line, { work, env: [] }, rest)).toMatchObject({
      program: 'rsync',
      stdin: 7,
      stdout: 8,
      stderr: 8,
      group: 'ours',
    });
  });
});

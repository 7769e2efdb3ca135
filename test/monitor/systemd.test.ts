import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/intray/commands.ts';
import { parseCommand } from '../../src/cli/parse.ts';
import { lacking } from '../faults/support/needs.ts';
import { INTRAY } from '../support/intray-cli.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const unit = readFileSync(
  fileURLToPath(new URL('../../examples/systemd/intray-monitor@.service', import.meta.url)),
  'utf8',
);
const reason = lacking({ tools: ['systemd-analyze'] });

describe('the unit for systemd', () => {
  it.skipIf(reason !== undefined)(
    `is understood by systemd${reason === undefined ? '' : ` (${reason})`}`,
    () => {
      const path = temporary.path('intray-monitor@srv-jobs.service');
      writeFileSync(path, unit.replace('/usr/local/bin/intray', INTRAY));
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      writeFileSync(
        path,
        unit.replace('KillMode=mixed', 'KillMode=mxied').replace('/usr/local/bin/intray', INTRAY),
      );
      expect(spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' }).stderr).toContain(
        'kill mode',
      );
    },
  );

  it('has a command that we understand', () => {
    const [, words = ''] = /^ExecStart=\S*intray monitor (.*)$/m.exec(unit) ?? [];
    const spec = COMMANDS.find(({ name }) => name === 'monitor');
    if (spec === undefined) throw new Error('no such command');
    expect(parseCommand(spec, words.split(' '))).toMatchObject({ kind: 'run', args: { operand: '%f' } });
  });
});

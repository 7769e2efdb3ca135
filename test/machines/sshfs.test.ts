/** A queue reached through sshfs: jobs are delivered there, and run where the directory is. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { lacking } from '../faults/support/needs.ts';
import { INTRAY } from '../support/intray-cli.ts';
import { useTemporary } from '../support/temporary.ts';

const SFTP_SERVER = '/usr/lib/openssh/sftp-server';

const reason =
  lacking({ tools: ['sshfs', 'fusermount3'], mounts: true }) ??
  (existsSync(SFTP_SERVER) ? undefined : 'openssh-sftp-server is not installed');
const temporary = useTemporary();

describe.skipIf(reason !== undefined)(`sshfs${reason === undefined ? '' : ` (${reason})`}`, () => {
  let mounted: string | undefined;

  afterEach(() => {
    if (mounted !== undefined) run('fusermount3', ['-u', mounted]);
    mounted = undefined;
  });

  function mount(directory: string): string {
    const path = temporary.path('mounted');
    mkdirSync(path);
    // In the place of ssh, which would start the same server on the other side.
    const ssh = temporary.path('ssh');
    writeFileSync(ssh, `#!/bin/sh\nexec ${SFTP_SERVER}\n`, { mode: 0o755 });
    run('sshfs', ['-o', `ssh_command=${ssh},dir_cache=no`, `elsewhere:${directory}`, path]);
    mounted = path;
    return path;
  }

  it('delivers jobs, which are run where the directory is', () => {
    run(INTRAY, ['init', temporary.path('queue')]);
    const path = mount(temporary.path('queue'));
    const ids = run(INTRAY, ['add', path, '--each-line'], 'one\ntwo\nthree\n').trim().split('\n');
    expect(ids).toHaveLength(3);
    const said = run(INTRAY, [
      'work',
      temporary.path('queue'),
      ...['-j', '1', '--output', 'inherit', '--', 'cat'],
    ]);
    expect(said).toBe('one\ntwo\nthree\n');
  });

  it('is no place for workers of several hosts, says doctor', () => {
    mkdirSync(temporary.path('place'));
    const said = spawnSync(INTRAY, ['doctor', mount(temporary.path('place'))], { encoding: 'utf8' }).stdout;
    expect(said).toMatch(/NO +flock between hosts +with fuse\.sshfs a lock holds within one mount only/);
    expect(said).toMatch(/NO +workers on several machines/);
  });
});

function run(program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
  expect({ program, status, stderr }).toMatchObject({ status: 0 });
  return stdout;
}

/** Moving jobs over real ssh. */

import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lacking } from '../faults/support/needs.ts';
import { signal } from '../faults/support/storm.ts';
import { eventually, exitOf } from '../support/fspl.ts';
import { INTRAY, INTRAY_VARIANTS, type IntrayCli, intrayCli, jsonLines } from '../support/intray-cli.ts';
import { natsLack, useNats } from '../support/nats.ts';
import { SSHD, type Sshd, startSshd } from '../support/sshd.ts';

const reason = lacking({ tools: ['ssh', 'ssh-keygen', SSHD] });
const servers: Sshd[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

type Setting = {
  readonly cli: IntrayCli;
  readonly sshd: Sshd;
  readonly remote: string;
  readonly words: string[];
};

/** Two queues, one of them behind ssh. */
async function setting(program = INTRAY, first: readonly string[] = []): Promise<Setting> {
  const cli = intrayCli(program, first);
  const keys = join(cli.dir, 'keys');
  mkdirSync(keys);
  const sshd = await startSshd(keys);
  servers.push(sshd);
  for (const queue of ['here', 'there']) expect(cli.run(['init', queue]).status).toBe(0);
  const remote = `ssh://127.0.0.1:${sshd.port}${cli.dir}/there`;
  const words = ['--ssh', sshd.ssh, '--remote-intray', [program, ...first].join(' '), '--json'];
  return { cli, sshd, remote, words };
}

const namesOf = (text: string) => jsonLines(text).map(({ event }) => event);

describe.skipIf(reason !== undefined)(`over ssh${reason === undefined ? '' : ` (${reason})`}`, () => {
  it.each(INTRAY_VARIANTS)('jobs go there and come back, with intray as %s', async (_, program, first) => {
    const { cli, remote, words } = await setting(program, first);
    for (const text of ['a', 'b', 'c']) {
      expect(cli.run(['add', 'here', '--lane', 'l', '--', text], { input: `of ${text}` }).status).toBe(0);
    }
    const there = cli.run(['relay', 'here', remote, ...words]);
    expect(there).toMatchObject({ status: 0, stderr: '' });
    expect(namesOf(there.stdout)).toEqual(['moved', 'moved', 'moved', 'finished']);
    expect(cli.list('here/jobs')).toEqual([]);
    const back = cli.run(['relay', remote, 'here', ...words]);
    expect(back).toMatchObject({ status: 0, stderr: '' });
    expect(cli.list('there/jobs')).toEqual([]);
    const shown = cli.run([
      'work',
      'here',
      '--output',
      'inherit',
      '--allow-job-params',
      '--',
      'sh',
      '-c',
      'echo "$1 $(cat)"',
      'sh',
    ]);
    expect(shown.stdout).toBe('a of a\nb of b\nc of c\n');
    expect(cli.run(['relay', remote, 'here', ...words]).status).toBe(3);
  });

  it('a forced command is enough, and decides which queue it is', async () => {
    const { cli, sshd, words } = await setting();
    sshd.force(`${INTRAY} relay --serve ${cli.dir}/there --max-waiting 2`);
    expect(cli.run(['add', 'here', '--each-line'], { input: 'a\nb\n' }).status).toBe(0);
    const elsewhere = `ssh://127.0.0.1:${sshd.port}/etc`;
    expect(cli.run(['relay', 'here', elsewhere, ...words])).toMatchObject({ status: 0, stderr: '' });
    expect(cli.list('there/jobs')).toHaveLength(2);
    // It takes, and gives nothing away.
    const fetched = cli.run(['relay', elsewhere, 'here', ...words]);
    expect(fetched).toMatchObject({ status: 1, stderr: expect.stringContaining('takes jobs too') });
    expect(cli.list('there/jobs')).toHaveLength(2);
  });

  it('says what is wrong, and keeps the jobs', async () => {
    const { cli, sshd, remote, words } = await setting();
    expect(cli.run(['add', 'here', '--no-payload']).status).toBe(0);
    const said = (target: string, ...more: string[]) => {
      const { status, stderr } = cli.run(['relay', 'here', target, ...words, ...more]);
      expect(status).toBe(1);
      return stderr;
    };
    expect(said(`ssh://127.0.0.1:${sshd.port}${cli.dir}/nowhere`)).toContain('there is no such directory');
    sshd.force('echo hello');
    expect(cli.run(['relay', 'here', remote, ...words]).stdout).toContain('it began with \\"hello\\"');
    sshd.force('exit 127');
    expect(cli.run(['relay', 'here', remote, ...words]).stdout).toContain('there is no intray');
    await sshd.stop();
    expect(cli.run(['relay', 'here', remote, ...words]).stdout).toContain('could not be reached');
    expect(cli.list('here/jobs')).toHaveLength(1);
    expect(cli.list('here/work')).toEqual([]);
  });

  it('a large payload whose connection is killed goes on where it was, by itself', async () => {
    const { cli, remote, words } = await setting();
    const payload = randomBytes(12_000_000);
    writeFileSync(join(cli.dir, 'big'), payload);
    expect(cli.run(['add', 'here', '--input', 'big']).status).toBe(0);
    const relay = cli.start(['relay', 'here', remote, ...words, '--watch', '--limit', '6MB/s']);
    let said = '';
    relay.stdout?.on('data', (chunk) => {
      said += chunk;
    });
    const parts = join(cli.dir, 'there/relay-parts');
    const sizeThere = () => {
      try {
        return Math.max(0, ...readdirSync(parts).map((name) => statSync(join(parts, name)).size));
      } catch {
        return 0;
      }
    };
    const pid = await eventually(() => sizeThere() > 4_000_000 && childOf(relay.pid ?? 0), 'half of it');
    expect(signal(pid, 'SIGKILL')).toBe(true);
    await eventually(() => said.includes('"moved"'), 'the rest');
    relay.kill('SIGTERM');
    expect(await exitOf(relay)).toEqual({ code: null, signal: 'SIGTERM' });
    const [trouble, moved] = jsonLines(said);
    expect([trouble?.event, moved?.event]).toEqual(['trouble', 'moved']);
    const read = cli.run(['work', 'there', '--', 'sh', '-c', 'cat > out']);
    expect(read.status).toBe(0);
    expect(Buffer.compare(readFileSync(join(cli.dir, 'out')), payload)).toBe(0);
    expect(readdirSync(parts)).toEqual([]);
  });
});

describe.skipIf(reason !== undefined)('over ssh and a server of NATS', () => {
  const nats = useNats();
  const lack = natsLack();

  it('jobs go to a queue there and come from it, and large payloads wait at home', async (context) => {
    if (lack !== undefined) context.skip(lack);
    const { cli, remote, words } = await setting();
    const payload = randomBytes(3_000_000);
    writeFileSync(join(cli.dir, 'big'), payload);
    const middle = `nats://${nats.addresses}/middle`;
    expect(cli.run(['init', middle]).status).toBe(0);
    expect(cli.run(['add', 'there', '--input', 'big', '--lane', 'l', '--name', 'n']).status).toBe(0);
    const env = { XDG_STATE_HOME: join(cli.dir, 'state') };
    const fetched = cli.run(['relay', remote, middle, ...words], { env });
    expect(fetched).toMatchObject({ status: 0, stderr: '' });
    const [parts = ''] = cli.list('state/intray/relay-parts');
    expect(parts).toContain('nats');
    expect(cli.list(join('state/intray/relay-parts', parts))).toEqual([]);
    expect(cli.run(['relay', middle, 'here', ...words]).status).toBe(0);
    expect(cli.run(['add', 'here', '--name', 'n', '--json']).stdout).toContain('"duplicate":true');
    const read = cli.run(['work', 'here', '--', 'sh', '-c', 'cat > out; echo "$INTRAY_LANE" > lane']);
    expect(read.status).toBe(0);
    expect(Buffer.compare(readFileSync(join(cli.dir, 'out')), payload)).toBe(0);
    expect(cli.read('lane')).toBe('l\n');
  });
});

/** The ssh that a relay has started. */
function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return children === '' ? undefined : Number(children.split(' ')[0]);
}

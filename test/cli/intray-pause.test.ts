/** `intray pause`, `resume` and `drain`. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, exitOf } from '../support/fspl.ts';
import { INTRAY_VARIANTS, type IntrayCli, intrayCli } from '../support/intray-cli.ts';
import { isRunning } from '../support/temporary.ts';

/** Notes that it runs, and goes on until there is a file `go`. */
const UNTIL_GO = 'echo $$ >> pids; until [ -e go ]; do sleep 0.02; done; echo over >> pids';

function lines(cli: IntrayCli): string[] {
  const file = join(cli.dir, 'pids');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

describe.each(INTRAY_VARIANTS)('with %s', (_name, program, first) => {
  it('drain waits for what runs, nothing starts meanwhile, and resume lets it go on', async () => {
    const cli = intrayCli(program, first);
    cli.sh('intray init q; seq 2 | intray add q --each-line');
    const worker = cli.start(['work', 'q', '--watch', '--', 'sh', '-c', UNTIL_GO]);
    await eventually(() => lines(cli).length === 1, 'the first job');
    expect(cli.run(['drain', 'q', '--timeout', '300ms'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'intray: error: q: after 0.3s 1 job is still running; the queue is paused\n',
    });
    const drain = cli.start(['drain', 'q']);
    let said = '';
    drain.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    writeFileSync(join(cli.dir, 'go'), '');
    expect((await exitOf(drain)).code).toBe(0);
    expect(said).toBe('q: no job runs, and none will start until `intray resume q`\n');
    expect(lines(cli).slice(1)).toEqual(['over']);
    expect(cli.list('q/jobs')).toHaveLength(1);

    expect(cli.run(['resume', 'q']).stdout).toBe('q: jobs may start again\n');
    await eventually(() => lines(cli).length === 4, 'the second job');
    worker.kill('SIGTERM');
    await exitOf(worker);
  });

  it('pause keeps jobs from starting, in several queues', () => {
    const cli = intrayCli(program, first);
    cli.sh('for q in a b; do intray init $q; intray add $q; done');
    expect(cli.run(['pause', 'a', 'b'])).toEqual({
      status: 0,
      stdout: 'a: no job will start until `intray resume a`\nb: no job will start until `intray resume b`\n',
      stderr: '',
    });
    expect(cli.run(['work', 'a', 'b', '--', 'true']).status).toBe(9);
    expect(JSON.parse(cli.run(['resume', 'a', '--json']).stdout)).toEqual({
      queue: 'a',
      paused: false,
      changed: true,
    });
    expect(cli.run(['work', 'a', '--', 'true']).status).toBe(0);
    expect(cli.list('b/jobs')).toHaveLength(1);
  });
});

describe('pause', () => {
  it('says what is so already, and what goes on', async () => {
    const cli = intrayCli();
    cli.sh('intray init q; intray add q');
    expect(cli.run(['resume', 'q'])).toMatchObject({ status: 0, stdout: 'q: it was not paused\n' });
    const worker = cli.start(['work', 'q', '--', 'sh', '-c', UNTIL_GO]);
    await eventually(() => lines(cli).length === 1, 'the job');
    expect(cli.run(['pause', 'q']).stdout).toContain('; 1 job is still running');
    expect(cli.run(['pause', 'q']).stdout).toContain('was paused already');
    writeFileSync(join(cli.dir, 'go'), '');
    expect((await exitOf(worker)).code).toBe(0);
  });

  it('of what is no queue changes nothing, of the queues named with it neither', () => {
    const cli = intrayCli();
    cli.sh('intray init q');
    expect(cli.run(['pause', 'q', 'nowhere']).status).toBe(1);
    expect(cli.list('q')).not.toContain('paused');
  });
});

describe('drain', () => {
  it('does not wait for a worker that died, and says what it has left', async () => {
    const cli = intrayCli();
    cli.sh('intray init q; intray add q');
    const worker = cli.start(['work', 'q', '--', 'sh', '-c', UNTIL_GO]);
    const pid = Number(await eventually(() => lines(cli)[0], 'the job'));
    worker.kill('SIGKILL');
    await exitOf(worker);
    await eventually(() => !isRunning(pid), 'the watchdog');
    const { status, stdout } = cli.run(['drain', 'q']);
    expect(status).toBe(0);
    expect(stdout).toContain('; 1 job of a worker that died is started again then');
    cli.run(['resume', 'q']);
    expect(cli.run(['work', 'q', '--', 'true']).status).toBe(0);
  });

  it('waits for fspl too, which does not know of pauses', () => {
    const cli = intrayCli();
    cli.sh('fspl queue-init -q q; fspl prepare -s s | fspl queue-write -q q');
    const line = 'fspl queue-process -q q intray -- drain q --timeout 300ms';
    const { stderr } = cli.sh(`${line}; true`);
    expect(stderr).toContain('after 0.3s fspl is still working it, which does not know of pauses');
    expect(cli.run(['drain', 'q']).status).toBe(0);
  });
});

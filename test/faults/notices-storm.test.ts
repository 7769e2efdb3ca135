/** Workers that are killed again and again while they tell of failed jobs: each is told, and a repeat is the same notice. */

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { intrayCli } from '../support/intray-cli.ts';
import { startReceiver } from '../support/receiver.ts';
import { useTemporary } from '../support/temporary.ts';

useTemporary();

const JOBS = 8;
const LEAST_KILLS = 8;

it('leaves no failed job untold', async () => {
  const { url, received, close } = await startReceiver();
  const cli = intrayCli();
  expect(cli.run(['init', 'q']).status).toBe(0);
  const input = Array.from({ length: JOBS }, (_, number) => `${number}\n`).join('');
  expect(cli.run(['add', 'q', '--each-line'], { input }).status).toBe(0);
  const work = (kill: boolean) => {
    const worker = cli.start(['work', 'q', '-j2', '--notices', 'n', '--webhook', url, '--', 'false']);
    worker.stdout?.resume();
    worker.stderr?.resume();
    // Between its start and the end of its work.
    const timer = kill ? setTimeout(() => worker.kill('SIGKILL'), randomInt(20, 250)) : undefined;
    return once(worker, 'exit').finally(() => clearTimeout(timer));
  };
  try {
    const waits = () => [...cli.list('q/jobs'), ...cli.list('q/work')].length > 0;
    for (let round = 0; round < LEAST_KILLS / 2 || (waits() && round < 10 * JOBS); round++) {
      await Promise.all([work(true), work(true)]);
    }
    await work(false);
    await work(false);
    const failed = cli.list('q/failed');
    expect(failed).toHaveLength(JOBS);
    const told = received.map(({ headers, body }) => ({ id: headers['webhook-id'], body }));
    const jobs = new Set<string>(told.map(({ body }) => JSON.parse(body).data.job));
    expect(failed.filter((name) => ![...jobs].some((job) => name.includes(job)))).toEqual([]);
    for (const { id, body } of told) expect(told.find((one) => one.id === id)?.body).toBe(body);
    expect(cli.list('n/jobs').filter((name) => !name.endsWith('.tmp'))).toEqual([]);
  } finally {
    await close();
  }
});

/** That a job has failed for good is told, once, whatever becomes of the worker and of whoever is told. */

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Notices, type NoticesOptions, openNotices } from '../../src/notices/notices.ts';
import type { Clock, Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { Queue } from '../../src/queue/contract.ts';
import { type ServeOptions, serveQueues } from '../../src/worker/serve.ts';
import { homeQueue } from '../support/home.ts';
import { machineWith, shiftedClock } from '../support/machines.ts';
import { startReceiver, useReceivers } from '../support/receiver.ts';
import { eventually, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const receiver = useReceivers();
let queue: Queue;
let troubles: string[];

beforeEach(async () => {
  queue = await homeQueue(temporary.path('queue'));
  troubles = [];
});

async function open(to: Partial<NoticesOptions>, machine: Machine = realMachine): Promise<Notices> {
  return openNotices(machine, {
    location: temporary.path('notices'),
    onTrouble: (sentence) => void troubles.push(sentence),
    ...to,
  });
}

const FAILS = { program: '/bin/sh', args: ['-c', 'echo said; echo "went wrong" >&2; exit 3'] };

/** Runs the jobs that wait, which all fail. */
async function work(notices: Notices, options: ServeOptions = {}, queues = [queue]): Promise<void> {
  await serveQueues(realMachine, queues, FAILS, { onFailing: notices.accept.bind(notices), ...options });
}

const left = (place: string) =>
  readdirSync(temporary.path('notices', place)).filter((name) => name.endsWith('.fspl'));

function later(ms: number): Machine {
  const clock = shiftedClock();
  clock.advance(ms);
  return machineWith({ clock });
}

describe('a job that has failed for good', () => {
  it('is told with all that is known of it', async () => {
    const { url, received } = await receiver();
    const notices = await open({ webhook: { url } });
    const { id } = await queue.add({ lane: 'alice' });
    await work(notices);
    await notices.finish(false);
    expect(received).toHaveLength(1);
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(JSON.parse(body)).toEqual({
      type: 'job.failed',
      timestamp: expect.stringMatching(/^20.*Z$/),
      data: {
        host: realMachine.host.name,
        queue: queue.location,
        job: id,
        lane: 'alice',
        number: '1',
        attempt: 1,
        reason: 'it ended with exit code 3',
        exitCode: 3,
        signal: null,
        output: 'went wrong\n',
      },
    });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': /^msg_/ });
    expect(headers).not.toHaveProperty('webhook-signature');
    expect([left('jobs'), left('failed'), troubles]).toEqual([[], [], []]);
  });

  it('is told once, and not of each try', async () => {
    const { url, received } = await receiver();
    const notices = await open({ webhook: { url } });
    await queue.add({});
    await work(notices, { retries: 2, backoff: { firstMs: 1 } });
    await notices.finish(false);
    expect(received.map(({ body }) => JSON.parse(body).data)).toMatchObject([{ attempt: 3 }]);
  });

  it('is told though it was not run, for it was too late', async () => {
    const { url, received } = await receiver();
    const notices = await open({ webhook: { url } });
    await queue.add({ expires: new Date(1_600_000_000_000) });
    await work(notices);
    await notices.finish(false);
    expect(received.map(({ body }) => JSON.parse(body).data)).toMatchObject([
      { attempt: 0, exitCode: null, output: '', reason: expect.stringContaining('not to start after') },
    ]);
  });

  it('is told to a command in its variables and its input, which may say what it likes', async () => {
    const out = temporary.path('out');
    const line = `{ echo "$INTRAY_JOB $INTRAY_LANE $INTRAY_REASON $INTRAY_EXIT_CODE-$INTRAY_SIGNAL $INTRAY_OUTPUT"; cat; } > ${out}`;
    const notices = await open({ command: line });
    const { id } = await queue.add({});
    await work(notices);
    await notices.finish(false);
    const [first, second = ''] = readFileSync(out, 'utf8').split(/\n+/);
    expect(first).toBe(`${id}  it ended with exit code 3 3- went wrong`);
    expect(JSON.parse(second)).toMatchObject({ type: 'job.failed', data: { job: id } });
  });

  it('is told to both, each for itself', async () => {
    const { url, received } = await receiver();
    const notices = await open({ webhook: { url }, command: 'exit 9' });
    await queue.add({});
    await work(notices);
    await notices.finish(false);
    expect(received).toHaveLength(1);
    expect(left('jobs')).toHaveLength(1);
    expect(troubles).toEqual([
      expect.stringContaining('the command to tell of it failed: it ended with exit code 9'),
      expect.stringContaining('1 notice waits'),
    ]);
  });

  it('is told by whoever finds it where its worker died in between', async () => {
    const { url, received } = await receiver();
    const notices = await open({ webhook: { url } });
    await queue.add({});
    // The notice is accepted, and nothing is settled any more.
    const dies = { onFailing: (...args: Parameters<Notices['accept']>) => notices.accept(...args).then(die) };
    await expect(serveQueues(realMachine, [queue], FAILS, dies)).rejects.toThrow('died');
    await notices.finish(false);
    expect(received).toHaveLength(1);
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });
});

function die(): never {
  throw new Error('died');
}

describe('a receiver', () => {
  it('that is slow keeps no job waiting', async () => {
    const held: (() => void)[] = [];
    const { url, received } = await receiver((response) => held.push(() => response.end()));
    const notices = await open({ webhook: { url } });
    for (let count = 0; count < 10; count++) await queue.add({});
    await work(notices);
    expect((await queue.jobs()).jobs).toEqual([]);
    const finished = notices.finish(false);
    await eventually(() => {
      for (const release of held.splice(0)) release();
      expect(received).toHaveLength(10);
    });
    await finished;
    expect(left('jobs')).toEqual([]);
  });

  it('that answers nothing is given up after its time, and the next worker tells it under the same id', async () => {
    let answers = false;
    const { url, received } = await receiver((response) => answers && response.end());
    // 30 s are over at once.
    const clock: Clock = {
      ...realMachine.clock,
      after: (ms, action) => realMachine.clock.after(ms === 30_000 ? 50 : ms, action),
    };
    const notices = await open({ webhook: { url } }, machineWith({ clock }));
    await queue.add({});
    await work(notices);
    await eventually(() => expect(troubles[0]).toContain('took longer than 30 s'));
    await notices.finish(true);
    answers = true;
    await (await open({ webhook: { url } }, later(10_000))).finish(false);
    const ids = received.map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual([ids[0], ids[0]]);
    expect(left('jobs')).toEqual([]);
  });

  it.each([500, 404, 302, 429])('that answers %i was not told, and is told again', async (status) => {
    const elsewhere = await receiver();
    const { url, received } = await receiver((response, count) => {
      response.writeHead(count === 0 ? status : 204, count === 0 ? { location: elsewhere.url } : {});
      response.end(count === 0 ? 'no <b>words</b>\nmore' : undefined);
    });
    const notices = await open({ webhook: { url } });
    await queue.add({});
    await work(notices);
    await eventually(() => expect(troubles).toHaveLength(1));
    await notices.finish(true);
    expect(troubles[0]).toMatch(new RegExp(`${new URL(url).origin} answered ${status}: no <b>words</b>$`));
    expect(left('jobs')).toHaveLength(1);
    await (await open({ webhook: { url } }, later(10_000))).finish(false);
    expect(received).toHaveLength(2);
    expect(elsewhere.received).toEqual([]);
    expect(left('jobs')).toEqual([]);
  });

  it('that says when it can be told is not told before', async () => {
    const { url, received } = await receiver((response, count) => {
      response.writeHead(count === 0 ? 429 : 200, { 'retry-after': '7200' }).end();
    });
    const notices = await open({ webhook: { url } });
    await queue.add({});
    await work(notices);
    await eventually(() => expect(troubles).toHaveLength(1));
    await notices.finish(true);
    for (const [ms, count] of [
      [7_000_000, 1],
      [7_300_000, 2],
    ] as const) {
      await (await open({ webhook: { url } }, later(ms))).finish(false);
      expect(received).toHaveLength(count);
    }
  });

  it('that never ends its answer has been told, and is listened to no longer', async () => {
    let talking = 0;
    const { url } = await receiver((response) => {
      response.writeHead(200);
      const talk = () => {
        talking += 1;
        if (!response.destroyed) response.write('x'.repeat(1000), () => setImmediate(talk));
      };
      talk();
      response.on('close', () => {
        talking = Number.NEGATIVE_INFINITY;
      });
    });
    const notices = await open({ webhook: { url } });
    await queue.add({});
    await work(notices);
    await notices.finish(false);
    expect(left('jobs')).toEqual([]);
    await eventually(() => expect(talking).toBe(Number.NEGATIVE_INFINITY));
  });

  it('that breaks off its answer, or drags it out, has been told when it was a good one', async () => {
    const { url, received } = await receiver((response, count) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('some', () => count === 0 && response.destroy());
    });
    const clock: Clock = {
      ...realMachine.clock,
      after: (ms, action) => realMachine.clock.after(ms === 30_000 ? 200 : ms, action),
    };
    const notices = await open({ webhook: { url } }, machineWith({ clock }));
    for (let count = 0; count < 2; count++) await queue.add({});
    await work(notices);
    await notices.finish(false);
    expect(received).toHaveLength(2);
    expect([left('jobs'), troubles]).toEqual([[], []]);
  });

  it('that is never there is given up after two days, and the notice kept where it can be seen', async () => {
    const { url, close } = await startReceiver();
    await close();
    let days = 0;
    await queue.add({});
    const first = await open({ webhook: { url } });
    await work(first);
    await first.finish(false);
    while (left('jobs').length > 0 && days < 40) {
      days += 1;
      await (await open({ webhook: { url } }, later(days * 86_400_000))).finish(false);
    }
    expect(days).toBe(16);
    expect(left('failed')).toHaveLength(1);
    expect(troubles.at(-1)).toMatch(/given up after 17 attempts: .*ECONNREFUSED.*intray retry/);
  });
});

describe('two workers', () => {
  it('tell each job once between them', async () => {
    const { url, received } = await receiver();
    const both = await Promise.all([open({ webhook: { url } }), open({ webhook: { url } })]);
    for (let count = 0; count < 20; count++) await queue.add({});
    await Promise.all(both.map((notices) => work(notices, { concurrency: 2 })));
    await Promise.all(both.map((notices) => notices.finish(false)));
    expect(new Set(received.map(({ body }) => JSON.parse(body).data.job)).size).toBe(20);
    expect(received).toHaveLength(20);
  });
});

describe('where notices cannot be kept', () => {
  const fullDisk: Machine = machineWith({
    files: {
      ...realMachine.files,
      write: (descriptor, bytes) => {
        if (Buffer.from(bytes).includes('job.failed'))
          throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
        return realMachine.files.write(descriptor, bytes);
      },
    },
  });

  it('no more of them are told at once than the worker can bear, and no longer than it has', async () => {
    const { url, received } = await receiver(() => {});
    // 10 s are over at once.
    const clock: Clock = {
      ...realMachine.clock,
      after: (ms, action) => realMachine.clock.after(ms === 10_000 ? 50 : ms, action),
    };
    const notices = await open({ webhook: { url } }, { ...fullDisk, clock });
    for (let count = 0; count < 20; count++) await queue.add({});
    await work(notices, { concurrency: 4 });
    expect((await queue.jobs()).jobs).toEqual([]);
    expect(troubles.filter((sentence) => sentence.includes('too many others'))).toHaveLength(4);
    await eventually(() => expect(received).toHaveLength(16));
    await notices.finish(false);
    expect(troubles.filter((sentence) => sentence.includes('nobody was told'))).toHaveLength(20);
  });

  it('a job is told at once, and has failed all the same', async () => {
    const { url, received } = await receiver();
    const notices = await open({ webhook: { url }, command: 'exit 1' }, fullDisk);
    await queue.add({});
    await work(notices);
    await notices.finish(false);
    expect(received).toHaveLength(1);
    expect((await queue.jobs()).jobs).toEqual([]);
    expect(troubles).toEqual([
      expect.stringMatching(/the notice of job \S+ cannot be kept: no space left on the disk/),
      expect.stringMatching(/nobody was told that job \S+ has failed: the command to tell of it failed/),
    ]);
  });
});

describe('a signature', () => {
  const VERIFY = `
import base64, hashlib, hmac, json, sys
given = json.load(sys.stdin)
key = base64.b64decode(given["secret"].removeprefix("whsec_"))
signed = "%s.%s.%s" % (given["id"], given["timestamp"], given["body"])
expected = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
print(any(hmac.compare_digest("v1," + expected, one) for one in given["signature"].split(" ")))
`;

  function isGenuine(given: object): string {
    const { stdout, stderr } = spawnSync('python3', ['-c', VERIFY], {
      input: JSON.stringify(given),
      encoding: 'utf8',
    });
    return stdout.trim() || stderr;
  }

  it('is what another implementation takes for genuine, of each of two secrets', async (context) => {
    if (spawnSync('python3', ['--version']).status !== 0) context.skip('python3 is not here');
    const { url, received } = await receiver();
    const secrets = [24, 64].map((bytes) => `whsec_${randomBytes(bytes).toString('base64')}`);
    const secretFile = temporary.path('secrets');
    writeFileSync(secretFile, `${secrets.join('\n')}\n`);
    const notices = await open({ webhook: { url, secretFile } });
    await queue.add({});
    await work(notices);
    await notices.finish(false);
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    const given = {
      id: headers['webhook-id'],
      timestamp: headers['webhook-timestamp'],
      signature: headers['webhook-signature'],
      body,
    };
    for (const secret of secrets) expect(isGenuine({ ...given, secret })).toBe('True');
    expect(isGenuine({ ...given, secret: secrets[0], body: `${body} ` })).toBe('False');
    expect(Math.abs(Number(given.timestamp) - Date.now() / 1000)).toBeLessThan(60);
  });

  it.each(['', 'secret\n', 'whsec_\n', `whsec_${'A'.repeat(20)}\n`, 'whsec_not base64 at all, is it?\n'])(
    'is refused by a file that has no secret: %j',
    async (text) => {
      writeFileSync(temporary.path('secret'), text);
      const webhook = { url: 'http://127.0.0.1:1/', secretFile: temporary.path('secret') };
      await expect(open({ webhook })).rejects.toMatchObject({ code: 'bad-setting' });
      expect(existsSync(temporary.path('notices'))).toBe(false);
    },
  );
});

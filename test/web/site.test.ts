/** What the dashboard answers, and whom. Each attack is tried. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpRequest, HttpResponse } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { refusalOf } from '../../src/web/site/guard.ts';
import { newLooks } from '../../src/web/site/looks.ts';
import { nameOf, segmentOf } from '../../src/web/site/segment.ts';
import { newSite, type Site } from '../../src/web/site/site.ts';
import { addNamed, claimFrom, failNext, homeQueue, jobFiles } from '../support/home-queues.ts';
import { useTemporary } from '../support/temporary.ts';
import { offencesIn } from './openmetrics-rules.ts';

const temporary = useTemporary();
const q = (...names: string[]) => temporary.path('q', ...names);

const OPEN = { token: undefined, hosts: new Set(['localhost', 'queues.example']) };

function site(token?: string): Site {
  return newSite(realMachine, newLooks(realMachine, [q()], {}), { ...OPEN, token });
}

function request(
  path: string,
  more: { method?: string; headers?: Record<string, string> } = {},
): HttpRequest {
  return {
    method: more.method ?? 'GET',
    path,
    headers: new Map(Object.entries({ host: 'localhost:8177', ...more.headers })),
    body: (async function* () {})(),
  };
}

async function get(path: string, more?: Parameters<typeof request>[1], of: Site = site()) {
  const { status, headers, body } = await of.answer(request(path, more));
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : '';
  return { status, headers: new Map(headers), text };
}

describe('the dashboard', () => {
  it('shows all queues, one queue, and one job', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'bad', { lane: 'alice' });
    const failed = await failNext(queue, 'exit code 7', 'hold');
    const id = await addNamed(queue, 'good', { priority: 7, env: { COLOUR: 'red' } });
    expect((await get('/')).text).toContain(`href="/queues/q">${q()}</a>`);
    const page = (await get('/queues/q')).text;
    expect(page).toContain(`href="/queues/q/jobs/${id}"`);
    expect(page).toContain('<td class="failed">failed, holds</td>');
    const job = (await get(`/queues/q/jobs/${id}`)).text;
    expect(job).toContain('<strong class="ready">ready</strong>: No worker works this queue.');
    expect(job).toContain('<dt>priority</dt><dd>7</dd>');
    expect(job).toContain('<dt>env</dt><dd>COLOUR=red</dd>');
    expect(job).toContain('>payload of good</pre>');
    expect((await get(`/queues/q/jobs/${id}?payload=hex`)).text).toContain(
      '00000000  70 61 79 6c 6f 61 64 20 6f 66 20 67 6f 6f 64     payload of good',
    );
    const said = (await get(`/queues/q/jobs/${failed}`)).text;
    expect(said).toContain('Attempt 1 failed for good: exit code 7');
    expect(said).toMatch(/<pre class="log"[^>]*>it went wrong\n<\/pre>/);
    expect(said).toContain(`What to do: <code>intray`);
  });

  it('filters, and divides into pages', async () => {
    const queue = await homeQueue(q());
    const jobs = Array.from({ length: 230 }, (_, index) => ({
      params: [`job${index}`],
      payload: '',
      lane: `l${index % 2}`,
    }));
    await queue.addAll(jobs);
    const rows = async (query: string) =>
      [...(await get(`/queues/q${query}`)).text.matchAll(/>job(\d+)</g)].length;
    expect(await rows('')).toBe(100);
    expect(await rows('?page=3')).toBe(30);
    expect(await rows('?page=99')).toBe(30);
    expect(await rows('?lane=l1&page=2')).toBe(15);
    expect(await rows('?state=ready')).toBe(2);
    expect(await rows('?state=failed')).toBe(0);
    expect((await get('/queues/q?page=2')).text).toContain('Jobs 101 to 200 of 230');
    expect((await get('/queues/q?lane=l1')).text).toContain('href="/queues/q?lane=l1&amp;page=2" rel="next"');
  });

  it('shows a job that runs, with what it has said so far', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'busy');
    const session = await queue.join();
    const claim = await claimFrom(session);
    const { stdout } = await claim.openOutput();
    await realMachine.files.write(stdout, new TextEncoder().encode('\x1b[31mred\x1b[0m <b>'));
    const { text } = await get(`/queues/q/jobs/${id}`);
    await claim.succeed();
    await session.close();
    expect(text).toContain('Attempt 1 is <span class="running">running</span>');
    expect(text).toContain('<span class="f-1">red</span> &lt;b&gt;</pre>');
    expect((await get(`/queues/q/jobs/${id}`)).status).toBe(404);
  });

  it('looks for a text in parameters too, of so many jobs', async () => {
    const queue = await homeQueue(q());
    await queue.addAll(
      Array.from({ length: 2100 }, (_, index) => ({ params: [`--file=${index}`] })),
      {
        durability: 'crash-safe',
      },
    );
    const of = site();
    const { text } = await get('/queues/q?text=file%3D77', {}, of);
    // 77, 770 to 779, and none of those behind the first 2000.
    expect(text).toContain('<caption>11 jobs</caption>');
    expect(text).toContain('In the parameters of 100 more jobs was not looked');
    expect((await get('/queues/q?text=%2377', {}, of)).text).not.toContain('was not looked');
  });

  it('says which output it may not read, and shows the rest', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'bad');
    const id = await failNext(queue);
    const files = {
      ...realMachine.files,
      open: (path: string, mode: Parameters<typeof realMachine.files.open>[1]) => {
        if (!path.endsWith('.err')) return realMachine.files.open(path, mode);
        throw Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open' });
      },
    };
    const machine = { ...realMachine, files };
    const of = newSite(machine, newLooks(machine, [q()], {}), OPEN);
    const { status, text } = await get(`/queues/q/jobs/${id}`, {}, of);
    expect([status, text]).toEqual([
      200,
      expect.stringMatching(/stderr of attempt 1 cannot be shown: .*permission denied/),
    ]);
    expect(text).toContain('payload of bad');
  });

  it('finds a job that was added a moment ago', async () => {
    const queue = await homeQueue(q());
    const of = site();
    await get('/', {}, of);
    const id = await addNamed(queue, 'new');
    expect((await get(`/queues/q/jobs/${id}`, {}, of)).status).toBe(200);
  });

  it('has the same numbers as intray metrics, in both formats', async () => {
    await homeQueue(q());
    const open = await get('/metrics', {
      headers: { accept: 'application/openmetrics-text; version=1.0.0' },
    });
    expect(offencesIn(open.text)).toEqual([]);
    expect(open.headers.get('content-type')).toContain('application/openmetrics-text; version=1.0.0');
    expect((await get('/metrics')).headers.get('content-type')).toContain('version=0.0.4');
  });

  it('says what cannot be seen, and goes on', async () => {
    mkdirSync(q());
    const of = newSite(realMachine, newLooks(realMachine, [q()], {}), OPEN);
    expect((await get('/', {}, of)).text).toContain('not a queue');
    expect((await get('/queues/q', {}, of)).status).toBe(404);
  });

  it('tells of news when there are some', async () => {
    const queue = await homeQueue(q());
    const of = site();
    const { body } = await of.answer(request('/events'));
    const events = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const next = async () => new TextDecoder().decode((await events.next()).value);
    expect(await next()).toBe('retry: 2000\n\n');
    expect(await next()).toBe('event: news\ndata: 1\n\n');
    await addNamed(queue, 'one');
    expect(await next()).toBe('event: news\ndata: 2\n\n');
    const ended = events.next();
    of.close();
    expect((await ended).done).toBe(true);
  });

  it('lets only so many watch', async () => {
    await homeQueue(q());
    const of = site();
    const open: AsyncIterator<Uint8Array>[] = [];
    for (let count = 0; count < 32; count++) {
      const events = ((await of.answer(request('/events'))).body as AsyncIterable<Uint8Array>)[
        Symbol.asyncIterator
      ]();
      await events.next();
      open.push(events);
    }
    expect((await get('/events', {}, of)).status).toBe(503);
    await open[0]?.return?.();
    expect((await of.answer(request('/events'))).status).toBe(200);
    for (const events of open) await events.return?.();
  });
});

describe('an attacker', () => {
  it.each([
    'evil.example',
    'evil.example:8177',
    '',
    'localhost.evil.example',
    'localhost@evil.example',
    '127.0.0.1.evil.example',
  ])('whose name %j leads here is not answered', async (host) => {
    await homeQueue(q());
    for (const path of ['/', '/metrics', '/events', '/style.css']) {
      const { status, text } = await get(path, { headers: { host } });
      expect(status).toBe(421);
      expect(text).not.toContain(q());
    }
  });

  it.each(['localhost', 'LOCALHOST:1', 'queues.example', '127.0.0.1:8177', '[::1]:8177', '192.168.1.7'])(
    'is not who says %j',
    (host) => {
      expect(refusalOf(OPEN, request('/', { headers: { host } }))).toBeUndefined();
    },
  );

  it('without the token learns nothing', async () => {
    await homeQueue(q());
    const of = site('correct-horse');
    const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
    const wrong = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: 'Bearer correct-hors' },
      { authorization: 'Bearer correct-horsecorrect-horse' },
      { authorization: 'Basic ===' },
      { authorization: 'correct-horse' },
      basic('correct-horse'.slice(1)),
      basic('correct-horse:'),
      { cookie: 'token=correct-horse' },
    ];
    for (const headers of wrong as Record<string, string>[]) {
      for (const path of ['/', '/metrics', '/events', '/queues/q', '/style.css', '/nothing']) {
        const { status, text, headers: answered } = await get(path, { headers }, of);
        expect([status, text], JSON.stringify(headers)).toEqual([
          401,
          'A token is missing, or is another one.\n',
        ]);
        expect(answered.get('www-authenticate')).toMatch(/^Basic /);
      }
    }
    expect((await get('/', { headers: { authorization: 'Bearer correct-horse' } }, of)).status).toBe(200);
    expect((await get('/', { headers: basic('anybody:correct-horse') }, of)).status).toBe(200);
  });

  it('reads no file by its name', async () => {
    await homeQueue(q());
    writeFileSync(temporary.path('secret'), 'the secret');
    for (const path of [
      '/../secret',
      '/queues/../../secret',
      '/queues/q/../../secret',
      '/queues/q/jobs/..%2f..%2fsecret',
      '/queues/q/jobs/%2e%2e%2f%2e%2e%2fsecret',
      '/queues/q/jobs/%2Fetc%2Fpasswd',
      '/queues/%2Fetc/jobs/passwd',
      '/queues/q/jobs/..\\..\\secret',
      '/queues/q/jobs/%00',
      '/queues/q/jobs/%',
      '/queues/q/jobs/%zz',
      'http://evil.example/queues/q',
      '*',
      '',
      '/queues/__proto__',
      '/queues/constructor/jobs/x',
    ]) {
      const { status, text } = await get(path);
      expect([path, status]).toEqual([path, 404]);
      expect(text).not.toMatch(/the secret|root:/);
    }
  });

  it('changes nothing', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'one');
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'get']) {
      expect((await get(`/queues/q/jobs/${id}`, { method })).status).toBe(405);
    }
    const before = readFileSync(q('jobs', jobFiles(q())[0] ?? ''));
    await get(`/queues/q/jobs/${id}`);
    expect(readFileSync(q('jobs', jobFiles(q())[0] ?? ''))).toEqual(before);
  });

  it('puts nothing but text on a page, whatever a job says', async () => {
    const queue = await homeQueue(q());
    const nasty = '"><script>alert(1)</script><a href="javascript:alert(2)" onclick=\'x\'>';
    const id = await addNamed(queue, nasty, {
      lane: nasty,
      env: { [nasty.replaceAll('=', '')]: nasty },
      payload: nasty,
    });
    const filter = new URLSearchParams({ text: nasty, lane: nasty, state: nasty, page: nasty }).toString();
    for (const path of [
      '/',
      '/queues/q',
      `/queues/q?${filter}`,
      `/queues/q/jobs/${id}`,
      `/queues/q/jobs/${segmentOf(nasty)}`,
    ]) {
      const { text } = await get(path);
      expect(text.match(/<script/g)).toEqual(['<script']);
      expect(text).not.toMatch(/"javascript:|'x'/i);
    }
  });

  it('can frame, load and send nothing', async () => {
    await homeQueue(q());
    for (const path of ['/', '/queues/q', '/metrics', '/nothing']) {
      const { headers } = await get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe-eval');
      expect(policy.replace("style-src-attr 'unsafe-inline'", '')).not.toContain('unsafe-inline');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect([...headers.keys()].filter((name) => /allow-origin|set-cookie/.test(name))).toEqual([]);
    }
  });

  it('gets an answer to any path', async () => {
    await homeQueue(q());
    const of = site();
    const path = fc.oneof(
      fc.string(),
      fc.webPath(),
      fc.string().map((text) => `/queues/q/jobs/${text}`),
    );
    await fc.assert(
      fc.asyncProperty(path, async (text) => {
        const { status }: HttpResponse = await of.answer(request(text));
        expect([200, 404]).toContain(status);
      }),
      { numRuns: 60 },
    );
    of.close();
  });
});

it('any name is one segment of an address and back', () => {
  const name = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), name), (text) => {
      const whole = text.toWellFormed();
      expect(segmentOf(whole)).toMatch(/^(?:[\w-]|%[\dA-F]{2})*$/);
      expect(nameOf(segmentOf(whole))).toBe(whole);
    }),
  );
  expect(segmentOf('a\udcff')).toBe('a%FF');
  expect(nameOf('a%FF')).toBe('a\udcff');
});

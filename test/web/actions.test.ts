/** What can be changed through the dashboard, by whom, and each attack on it. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LAYOUTS } from '../../src/open/layouts.ts';
import type { HttpRequest } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { newLooks } from '../../src/web/site/looks.ts';
import { segmentOf } from '../../src/web/site/segment.ts';
import { newSite, type Site } from '../../src/web/site/site.ts';
import { addNamed, claimFrom, failNext, findJob, homeQueue, jobFiles } from '../support/home-queues.ts';
import { manualClock } from '../support/machines.ts';
import { makeRoot } from '../support/roots.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const q = (...names: string[]) => temporary.path('q', ...names);
const audit = () => temporary.path('audit');

const HOST = 'localhost:8177';
const OURS = { host: HOST, origin: `http://${HOST}` };
const FORM = 'application/x-www-form-urlencoded';
const FILE_BYTES = 1000;

function site(machine = realMachine): Site {
  const changes = { audit: audit(), fileBytes: FILE_BYTES };
  return newSite(
    machine,
    newLooks(machine, [q()], {}),
    { token: undefined, hosts: new Set(['localhost']) },
    changes,
  );
}

type Sent = { readonly headers?: Record<string, string>; readonly body?: AsyncIterable<Uint8Array> | string };

function request(method: string, path: string, { headers = {}, body = '' }: Sent): HttpRequest {
  const pieces = async function* () {
    if (body !== '') yield new TextEncoder().encode(body as string);
  };
  return {
    method,
    path,
    headers: new Map(Object.entries({ host: HOST, ...headers })),
    body: typeof body === 'string' ? pieces() : body,
    from: '192.0.2.7',
  };
}

async function send(of: Site, method: string, path: string, sent: Sent = {}) {
  const { status, headers, body } = await of.answer(request(method, path, sent));
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : '';
  return { status, headers: new Map(headers), text, location: new Map(headers).get('location') };
}

/** A browser that has loaded a page: its cookie, and the code in the forms. */
async function browser(of: Site, path = '/queues/q') {
  const { headers, text } = await send(of, 'GET', path);
  const [cookie = ''] = (headers.get('set-cookie') ?? '').split(';');
  const code = /name="code" value="([\da-f]{64})"/.exec(text)?.[1] ?? '';
  const post = (path: string, fields: Record<string, string> = {}, more: Record<string, string> = {}) =>
    send(of, 'POST', path, {
      headers: { ...OURS, 'content-type': FORM, cookie, ...more },
      body: new URLSearchParams({ code, ...fields }).toString(),
    });
  return { cookie, code, post, text };
}

function audited(): Record<string, unknown>[] {
  if (!existsSync(audit())) return [];
  return readFileSync(audit(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function upload(code: string, fields: Record<string, string>, payload: string | undefined): string {
  const head = Object.entries({ code, ...fields })
    .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join('');
  const file = `--b\r\nContent-Disposition: form-data; name="payload"; filename="../../../etc/passwd"\r\n\r\n${payload}\r\n`;
  return `${head}${payload === undefined ? '' : file}--b--\r\n`;
}

const MULTIPART = 'multipart/form-data; boundary=b';

describe('somebody who may', () => {
  it('holds, releases, runs again and deletes a job', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'one');
    const of = site();
    const { post } = await browser(of);
    const page = `/queues/q/jobs/${segmentOf(id)}`;
    expect(await post(`${page}/hold`)).toMatchObject({ status: 303, location: `${page}?said=hold` });
    expect((await findJob(q(), id)).held).toBe(true);
    const held = (await send(of, 'GET', `${page}?said=hold`)).text;
    expect(held).toContain('<p class="notice" role="status">The job is held.</p>');
    expect(held).toContain(`action="${page}/release"`);
    expect(held).not.toContain(`action="${page}/hold"`);
    expect((await post(`${page}/hold`)).location).toBe(`${page}?said=unchanged`);
    expect((await post(`${page}/release`)).status).toBe(303);
    await failNext(queue);
    expect((await post(`${page}/retry`)).location).toBe(`${page}?said=retry`);
    expect((await findJob(q(), id)).place).toBe('waiting');
    const asked = await browser(of, `${page}/delete`);
    expect(asked.text).toContain('Delete this job?');
    expect(jobFiles(q())).toHaveLength(1);
    expect((await post(`${page}/delete`)).location).toBe('/queues/q?said=deleted');
    expect(jobFiles(q())).toEqual([]);
    expect(audited().map(({ action, result, job }) => [action, result, job === id])).toEqual([
      ['hold', 'done', true],
      ['hold', 'unchanged', true],
      ['release', 'done', true],
      ['retry', 'done', true],
      ['delete', 'done', true],
    ]);
    expect(audited()[0]).toMatchObject({ from: '192.0.2.7', queue: q() });
  });

  it('pauses and resumes, and sees it at once', async () => {
    await homeQueue(q());
    const of = site();
    const { post, text } = await browser(of);
    expect(text).toContain('action="/queues/q/pause"');
    const { location = '' } = await post('/queues/q/pause');
    expect((await send(of, 'GET', location)).text).toContain('action="/queues/q/resume"');
    expect(existsSync(q('paused'))).toBe(true);
    await post('/queues/q/resume');
    expect(existsSync(q('paused'))).toBe(false);
  });

  it('runs failed jobs again, so many and no more, the oldest first', async () => {
    const queue = await homeQueue(q());
    for (const name of ['one', 'two', 'three']) {
      await addNamed(queue, name);
      await failNext(queue);
    }
    const of = site();
    const { post, text } = await browser(of, '/queues/q/retry-failed');
    expect(text).toContain('3 jobs failed.');
    const { location = '' } = await post('/queues/q/retry-failed', { limit: '2' });
    expect((await send(of, 'GET', location)).text).toContain('2 failed jobs to be run again.');
    expect([jobFiles(q()).length, jobFiles(q(), 'failed').length]).toEqual([2, 1]);
    for (const limit of ['0', '-1', '10001', '1e3', 'all', '']) {
      expect([limit, (await post('/queues/q/retry-failed', { limit })).status]).toEqual([limit, 400]);
    }
    expect(jobFiles(q(), 'failed')).toHaveLength(1);
  });

  it('adds a job, with a payload that is not kept in memory', async () => {
    const queue = await homeQueue(q());
    const of = site();
    const { cookie, code } = await browser(of, '/queues/q/add');
    const fields = { params: 'first one\r\n\r\nsecond', lane: 'alice', priority: '7', name: '' };
    const headers = { ...OURS, 'content-type': MULTIPART, cookie };
    const body = upload(code, fields, 'the payload\r\n--');
    const { status, location } = await send(of, 'POST', '/queues/q/add', { headers, body });
    expect(status).toBe(303);
    const { text } = await send(of, 'GET', location ?? '');
    expect(text).toContain('The job is added.');
    expect(text).toMatch(/<dt>param<\/dt><dd>first one<\/dd><dt>param<\/dt><dd>second<\/dd>/);
    const session = await queue.join();
    const claim = await claimFrom(session);
    const bytes = new Uint8Array(100);
    const length = await realMachine.files.read(claim.payload, bytes, 0, 100);
    expect(new TextDecoder().decode(bytes.subarray(0, length))).toBe('the payload\r\n--');
    expect(claim.job.seq).toBe(1n);
    await claim.succeed();
    await session.close();
    expect(existsSync(temporary.path('etc'))).toBe(false);
  });

  it('is told what cannot be done, and why', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'busy');
    const session = await queue.join();
    const claim = await claimFrom(session);
    const of = site();
    const { post } = await browser(of);
    const { status, text } = await post(`/queues/q/jobs/${id}/delete`);
    expect([status, text]).toEqual([409, expect.stringContaining('it is being run by')]);
    await claim.succeed();
    await session.close();
    expect(audited()).toMatchObject([
      { action: 'delete', result: 'failed', message: expect.stringContaining('being run') },
    ]);
    expect((await post('/queues/q/jobs/nobody/hold')).status).toBe(404);
  });

  it('changes nothing that cannot be written down', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'one');
    mkdirSync(audit());
    const of = site();
    const { post } = await browser(of);
    const { status, text } = await post(`/queues/q/jobs/${id}/delete`);
    expect([status, text]).toEqual([409, expect.stringContaining('cannot be written down')]);
    expect(jobFiles(q())).toHaveLength(1);
  });

  it.each(LAYOUTS.map((layout) => [layout.name, layout] as const))(
    'is offered what a queue of %s can do, and no more',
    async (name, { marks, capabilities }) => {
      if (name === 'uow') await makeRoot(q());
      else for (const mark of marks[0] ?? []) mkdirSync(q(mark), { recursive: true });
      const of = site();
      const { text, cookie, code } = await browser(of);
      expect(text.includes('action="/queues/q/pause"')).toBe(capabilities.pause.has);
      const form = (await send(of, 'GET', '/queues/q/add')).text;
      expect(form.includes('name="lane"')).toBe(capabilities.lanes.has);
      expect(form.includes('name="params"')).toBe(capabilities.params.has);
      if (capabilities.lanes.has) return;
      const headers = { ...OURS, 'content-type': MULTIPART, cookie };
      const body = upload(code, { lane: 'alice' }, 'payload');
      const sent = await send(of, 'POST', '/queues/q/add', { headers, body });
      expect([sent.status, sent.text]).toEqual([409, expect.stringContaining('it has no place for lane')]);
    },
  );
});

describe('an attacker', () => {
  /** A queue with one job, which every attack would like to delete. */
  async function victim(machine = realMachine) {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'one');
    const of = site(machine);
    return { queue, id, of, path: `/queues/q/jobs/${id}/delete`, ...(await browser(of)) };
  }
  const untouched = () => expect(jobFiles(q())).toHaveLength(1);

  it('without the switch finds nothing to send, and nobody who takes it', async () => {
    const { path, code, cookie } = await victim();
    const off = newSite(realMachine, newLooks(realMachine, [q()], {}), {
      token: undefined,
      hosts: new Set(['localhost']),
    });
    const page = await send(off, 'GET', path.replace('/delete', ''));
    expect(page.text).not.toMatch(/<form method="post"|name="code"/);
    expect(page.headers.has('set-cookie')).toBe(false);
    for (const form of [path, '/queues/q/add', '/queues/q/retry-failed'])
      expect((await send(off, 'GET', form)).status).toBe(404);
    const headers = { ...OURS, 'content-type': FORM, cookie };
    expect((await send(off, 'POST', path, { headers, body: `code=${code}` })).status).toBe(405);
    untouched();
  });

  it('with a form of his own site is refused: no code, a wrong one, that of another browser, no cookie', async () => {
    const { path, of, cookie, code, post } = await victim();
    const other = await browser(of);
    expect(other.code).not.toBe(code);
    for (const wrong of ['', 'x', code.slice(1), `${code}0`, other.code, code.toUpperCase()]) {
      expect([wrong, (await post(path, { code: wrong })).status]).toEqual([wrong, 403]);
    }
    for (const cookies of ['', 'intray=', `intray=${code}`, other.cookie, `x${cookie}`, `${cookie}0`]) {
      expect([cookies, (await post(path, {}, { cookie: cookies })).status]).toEqual([cookies, 403]);
    }
    untouched();
    expect(new Set(audited().map(({ result }) => result))).toEqual(new Set(['refused']));
    expect((await post(path, {}, { cookie: `a=b; ${cookie}; c=d` })).status).toBe(303);
  });

  it('after a restart has a code that is worth nothing', async () => {
    const { path, cookie, code } = await victim();
    const headers = { ...OURS, 'content-type': FORM, cookie };
    expect((await send(site(), 'POST', path, { headers, body: `code=${code}` })).status).toBe(403);
    untouched();
  });

  it.each([
    { origin: 'http://evil.example' },
    { origin: 'http://localhost:9999' },
    { origin: 'http://localhost' },
    { origin: `http://${HOST}.evil.example` },
    { origin: 'null' },
    { origin: '' },
    { origin: HOST.replace('localhost', 'LOCALHOST') },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { host: 'evil.example', origin: 'http://evil.example' },
  ])('whose request says %j is refused, whatever his code', async (headers) => {
    const { path, post } = await victim();
    expect([403, 421]).toContain((await post(path, {}, headers as Record<string, string>)).status);
    untouched();
  });

  it('without an origin is refused', async () => {
    const { path, of, cookie, code } = await victim();
    const headers = { host: HOST, 'content-type': FORM, cookie };
    expect((await send(of, 'POST', path, { headers, body: `code=${code}` })).status).toBe(403);
    untouched();
  });

  it('cannot do it by a link, nor by another method', async () => {
    const { path, of, cookie, code } = await victim();
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'post']) {
      const { status } = await send(of, method, `${path}?code=${code}`, { headers: { ...OURS, cookie } });
      expect([method, status]).toEqual([method, method === 'GET' || method === 'HEAD' ? 200 : 405]);
    }
    untouched();
  });

  it('reaches no file by a name', async () => {
    const { of, cookie, code, post } = await victim();
    writeFileSync(temporary.path('secret'), 'the secret');
    for (const path of [
      '/queues/../secret/pause',
      '/queues/q/jobs/..%2F..%2Fsecret/delete',
      '/queues/q/jobs/%2e%2e%2fsecret/hold',
      '/queues/q/jobs/%00/delete',
      '/queues/q/jobs/%2Fetc%2Fpasswd/retry',
      '/queues/q/__proto__',
      '/queues/q/constructor',
      '/queues/q/tostring',
      '/queues/q/jobs/x/constructor',
      '/queues/constructor/pause',
      '/',
      '/metrics',
    ]) {
      expect([path, (await post(path)).status]).toEqual([path, 404]);
    }
    const headers = { ...OURS, 'content-type': MULTIPART, cookie };
    for (const [field, value] of Object.entries({ lane: '../../../x', name: '../../x', params: '../x' })) {
      const body = upload(code, { [field]: value }, 'p');
      expect([field, (await send(of, 'POST', '/queues/q/add', { headers, body })).status]).toEqual([
        field,
        303,
      ]);
    }
    expect(readFileSync(temporary.path('secret'), 'utf8')).toBe('the secret');
    expect(existsSync(temporary.path('x'))).toBe(false);
  });

  it('cannot fill the disk: what is too long is refused, and nothing of it stays', async () => {
    const { of, cookie, code } = await victim();
    const headers = { ...OURS, 'content-type': MULTIPART, cookie };
    const post = (body: Sent['body'], more = {}) =>
      send(of, 'POST', '/queues/q/add', { headers: { ...headers, ...more }, body: body ?? '' });
    expect((await post(upload(code, {}, 'x'.repeat(FILE_BYTES + 1)))).status).toBe(413);
    expect((await post('', { 'content-length': '1000000000000' })).status).toBe(413);
    let sent = 0;
    const endless = async function* () {
      yield new TextEncoder().encode(upload(code, {}, '').slice(0, -'\r\n--b--\r\n'.length));
      for (; sent < 1_000_000; sent += 500) yield new Uint8Array(500);
    };
    expect((await post(endless())).status).toBe(413);
    expect(sent).toBeLessThan(10 * FILE_BYTES);
    expect((await post('x'.repeat(200_000), { 'content-type': FORM })).status).toBe(413);
    expect((await post(upload(code, {}, 'cut off').slice(0, -8))).status).toBe(400);
    untouched();
    expect((await post(upload(code, {}, 'x'.repeat(FILE_BYTES)))).status).toBe(303);
  });

  it('cannot keep a connection by sending slowly', async () => {
    const machine = { ...realMachine, clock: manualClock() };
    const { of, cookie, code } = await victim(machine);
    const slow = async function* () {
      yield new TextEncoder().encode(upload(code, {}, 'begun').slice(0, -8));
      await new Promise(() => {});
    };
    const headers = { ...OURS, 'content-type': MULTIPART, cookie };
    expect((await send(of, 'POST', '/queues/q/add', { headers, body: slow() })).status).toBe(408);
    untouched();
  });

  it('is not read at all without a cookie', async () => {
    const { of } = await victim();
    let isRead = false;
    const body = (async function* () {
      isRead = true;
      yield new Uint8Array();
    })();
    const headers = { ...OURS, 'content-type': MULTIPART };
    expect((await send(of, 'POST', '/queues/q/add', { headers, body })).status).toBe(403);
    expect(isRead).toBe(false);
  });

  it('writes no second line into headers or into what is written down', async () => {
    const { of, cookie, code, post } = await victim();
    const nasty = 'a\r\nSet-Cookie: intray=evil\r\n{"result":"done"}\u2028x';
    const headers = {
      ...OURS,
      'content-type': MULTIPART,
      cookie,
      authorization: `Basic ${btoa('ann\nbob:x')}`,
    };
    await send(of, 'POST', '/queues/q/add', {
      headers,
      body: upload(code, { lane: nasty, name: nasty, params: nasty }, nasty),
    });
    await post(`/queues/q/jobs/${segmentOf(nasty)}/hold`, {}, { cookie: '' });
    for (const line of audited()) expect(Object.keys(line)).toContain('result');
    expect(audited().map(({ result }) => result)).toEqual(['done', 'refused']);
    expect(audited()[0]).toMatchObject({ user: 'ann\nbob' });
    const all = readFileSync(audit(), 'utf8').trim().split('\n');
    expect(all).toHaveLength(2);
  });

  it('puts nothing but text on a page of forms', async () => {
    const queue = await homeQueue(q());
    const nasty = '"><script>alert(1)</script><form action="https://evil.example" method=post>';
    const id = await addNamed(queue, nasty, { lane: nasty });
    const of = site();
    const { post } = await browser(of);
    const said = encodeURIComponent(nasty);
    for (const path of [
      '/queues/q',
      `/queues/q/jobs/${id}`,
      `/queues/q/jobs/${id}/delete`,
      '/queues/q/add',
      '/queues/q/retry-failed',
    ]) {
      const { text } = await send(of, 'GET', `${path}?said=${said}&done=${said}&refused=${said}`);
      expect(text).not.toMatch(/<script>|action="https/);
    }
    const { text } = await post(`/queues/q/jobs/${segmentOf(nasty)}/hold`);
    expect(text).not.toMatch(/<script>|action="https/);
  });

  it('gets an answer to any form', async () => {
    const { of, cookie } = await victim();
    const type = fc.oneof(fc.constantFrom(FORM, MULTIPART, 'multipart/form-data; boundary=""'), fc.string());
    const path = fc.oneof(fc.constantFrom('/queues/q/add', '/queues/q/pause'), fc.webPath());
    await fc.assert(
      fc.asyncProperty(path, type, fc.string(), async (where, contentType, body) => {
        const headers = { ...OURS, cookie, 'content-type': contentType };
        const { status } = await send(of, 'POST', where, { headers, body });
        expect([400, 403, 413]).toContain(status);
      }),
      { numRuns: 40 },
    );
    untouched();
  });
});

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Constants, DEFAULTS } from '../../../src/fsq/constants.ts';
import { install } from '../../../src/fsq/install.ts';
import { hostPlaceAt, type Place, placeAt } from '../../../src/fsq/place.ts';
import { call, type Remote, sendItem } from '../../../src/fsq/rpc/client.ts';
import { push } from '../../../src/fsq/rpc/push.ts';
import { answer } from '../../../src/fsq/rpc/service.ts';
import type { HttpAddress, HttpServer, Machine } from '../../../src/os/ports.ts';
import { realMachine } from '../../../src/os/real/index.ts';
import { useTemporary } from '../../support/temporary.ts';
import { put, rooms, scanned } from '../support.ts';

const temporary = useTemporary();
const NAME = '_20131005205643_0_25577_mss_0_args';
const TOKEN = 'a token of ours'.replaceAll(' ', '-');

let server: HttpServer;
let target: Place;
let constants: Constants;

async function serve(
  address: HttpAddress,
  machine: Machine = realMachine,
  limitBytes = 1e9,
): Promise<HttpServer> {
  const limits = { requestMs: 5000, connections: 10 };
  const options = { token: TOKEN, limitBytes };
  const http = realMachine.http;
  if (http === undefined) throw new Error('no network');
  return http.serve(address, limits, (request) => answer(machine, constants, options, request));
}

const remoteOf = ({ port }: HttpServer, token: string | undefined = TOKEN): Remote => ({
  url: `http://127.0.0.1:${port}/`,
  token,
  idleMs: 5000,
});

beforeEach(async () => {
  constants = { ...DEFAULTS, root: temporary.path('there') };
  await realMachine.files.mkdir(constants.root);
  await install(realMachine, temporary.path('there', 'q'), constants);
  target = placeAt(temporary.path('there', 'q'), constants);
  server = await serve({ kind: 'tcp', host: '127.0.0.1', port: 0 });
});

afterEach(() => server.close());

function fileWith(content: string | Uint8Array): string {
  writeFileSync(temporary.path('content'), content);
  return temporary.path('content');
}

const send = (content: string | Uint8Array, remote: Remote = remoteOf(server), id = NAME) =>
  sendItem(realMachine, remote, { id, queue: 'q', path: fileWith(content) });

describe('sending an item', () => {
  it.each([
    ['nothing', ''],
    ['text', 'text with "quotes", \\ and \u0000\u0001\n, é and 🎉'],
    ['any bytes', Uint8Array.from({ length: 70_000 }, (_, n) => (n * 7) & 0xff)],
    ['much text', 'é'.repeat(3_000_000)],
  ])('brings %s as it was', async (_, content) => {
    await send(content);
    expect(rooms(target)).toEqual({ tmp: [], waiting: [NAME], done: [], fail: [] });
    expect(Buffer.compare(readFileSync(`${target.waiting}/${NAME}`), Buffer.from(content))).toBe(0);
  });

  it('adds it once, however often, and also when it is done, or was tried meanwhile', async () => {
    await send('x');
    await send('x');
    expect(rooms(target).waiting).toEqual([NAME]);
    await scanned(target, (work) => work.failTmp(), { maxTries: 0 });
    await send('x');
    await scanned(target, undefined, { maxTries: 0 });
    await send('x');
    expect(rooms(target)).toMatchObject({ tmp: [], waiting: [], fail: [] });
    expect(rooms(target).done).toHaveLength(1);
  });

  it('adds it once when all send at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => send('x')));
    expect(rooms(target)).toEqual({ tmp: [], waiting: [NAME], done: [], fail: [] });
  });

  it('adds it once when the receiver died after any of its steps', async () => {
    for (let step = 1; ; step++) {
      const id = `_20131005205643_${step}_25577_mss_0_args`;
      const { machine, calls } = dyingAt(step);
      const dying = await serve({ kind: 'tcp', host: '127.0.0.1', port: 0 }, machine);
      const sent = await send('whole', remoteOf(dying), id).then(
        () => true,
        () => false,
      );
      await dying.close();
      await send('whole', remoteOf(server), id);
      const all = [...rooms(target).waiting, ...rooms(target).done];
      expect(
        all.filter((name) => name === id),
        `step ${step}`,
      ).toHaveLength(1);
      expect(readFileSync(`${target.waiting}/${id}`, 'utf8')).toBe('whole');
      if (sent && calls() < step) return;
    }
  });

  it('by a socket in the file system', async () => {
    const path = temporary.path('socket');
    const other = await serve({ kind: 'unix', path });
    await send('x', { url: `unix:${path}`, token: TOKEN, idleMs: 5000 });
    expect(rooms(target).waiting).toEqual([NAME]);
    await other.close();
    expect(readdirSync(temporary.path())).not.toContain('socket');
  });

  it.each([
    ['a name of no item', 'plain', 'is no name of an item'],
    ['a name with a slash', `${NAME}_%/x`, 'is no name of an item'],
    ['a queue that is not there', NAME, 'no queue of fsq', 'missing'],
    ['a queue elsewhere', NAME, 'is no name of a queue', '../there/q'],
  ])('refuses %s', async (_, id, why, queue = 'q') => {
    const item = { id, queue, path: fileWith('x') };
    await expect(sendItem(realMachine, remoteOf(server), item)).rejects.toMatchObject({
      code: 'not-delivered',
      message: expect.stringContaining(why),
    });
    expect(rooms(target)).toEqual({ tmp: [], waiting: [], done: [], fail: [] });
  });

  it('refuses one that is too long, having written no more than that', async () => {
    const small = await serve({ kind: 'tcp', host: '127.0.0.1', port: 0 }, realMachine, 1000);
    await expect(send('x'.repeat(5_000_000), remoteOf(small))).rejects.toMatchObject({
      code: 'not-delivered',
    });
    await small.close();
    expect(rooms(target)).toEqual({ tmp: [], waiting: [], done: [], fail: [] });
  });

  it('is told when nobody is there', async () => {
    const remote = remoteOf(server);
    await server.close();
    await expect(send('x', remote)).rejects.toMatchObject({ code: 'not-delivered' });
  });
});

describe('the service', () => {
  const post = (init: RequestInit) => fetch(remoteOf(server).url, { method: 'POST', ...init });
  const good = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const body = '{"jsonrpc":"2.0","method":"api_version","id":1}';

  it('answers the methods of the original', async () => {
    const remote = remoteOf(server);
    expect(await call(realMachine, remote, 'api_version', [])).toBe('1.0');
    expect(await call(realMachine, remote, 'is_down', ['q'])).toBe(false);
    writeFileSync(target.down[0] ?? '', '');
    expect(await call(realMachine, remote, 'is_down', ['q'])).toBe(true);
    expect(await call(realMachine, remote, 'trigger_pull', ['q'])).toBe(false);
    const params = [NAME, 'q', 'data'];
    const response = await post({
      headers: good,
      body: JSON.stringify({ method: 'enqueue', params, id: 'me' }),
    });
    expect(await response.json()).toEqual({ jsonrpc: '2.0', result: true, id: 'me' });
    expect((await post({ headers: good, body: '{"method":"api_version"}' })).status).toBe(204);
  });

  it.each([
    ['without a token', { 'content-type': 'application/json' }, 401],
    ['with another token', { ...good, authorization: `Bearer ${TOKEN}x` }, 401],
    ['with a part of it', { ...good, authorization: `Bearer ${TOKEN.slice(0, -1)}` }, 401],
    ['from a web page', { ...good, origin: 'http://localhost' }, 403],
    ['as a form', { ...good, 'content-type': 'text/plain' }, 415],
  ])('refuses a request %s', async (_, headers, status) => {
    expect((await post({ headers, body })).status).toBe(status);
  });

  it('refuses other methods of HTTP, and what is no JSON-RPC', async () => {
    expect((await fetch(remoteOf(server).url)).status).toBe(405);
    for (const [text, code] of [
      ['nonsense', -32700],
      ['{"method":"nonsense","id":1}', -32601],
      ['{"method":"is_down","id":1}', -32602],
      ['{"method":"enqueue","params":["x"],"id":1}', -32602],
    ] as const) {
      const response = await post({ headers: good, body: text });
      expect(await response.json(), text).toMatchObject({ error: { code } });
    }
  });
});

describe('pushing items of a host', () => {
  async function source() {
    const path = temporary.path('here');
    await install(realMachine, path, DEFAULTS, { hosts: ['east'] });
    return hostPlaceAt(path, 'east', DEFAULTS);
  }

  async function pushed(place: Place, names: readonly string[], lock = true, remote = remoteOf(server)) {
    const outcomes: string[] = [];
    const options = { ignoreDown: false, lock };
    for await (const { outcome } of push(realMachine, place, DEFAULTS, remote, 'q', names, options)) {
      outcomes.push(outcome);
    }
    return outcomes;
  }

  it('moves them to done here when they are there for good', async () => {
    const place = await source();
    const name = await put(place, 'content', 'a');
    expect(await pushed(place, [name, 'missing'])).toEqual(['sent', 'gone']);
    expect([rooms(place).done, rooms(target).waiting]).toEqual([[name], [name]]);
  });

  it('leaves them where they are, told not to lock them', async () => {
    const place = await source();
    const name = await put(place, 'content', 'a');
    expect(await pushed(place, [name], false)).toEqual(['sent']);
    expect(rooms(place).waiting).toEqual([name]);
  });

  it('keeps them when they were not taken', async () => {
    const place = await source();
    const name = await put(place, 'content', 'a');
    await expect(pushed(place, [name], true, remoteOf(server, 'another-token'))).rejects.toMatchObject({
      code: 'not-delivered',
    });
    writeFileSync(target.down[0] ?? '', '');
    await expect(pushed(place, [name])).rejects.toThrow('down there');
    expect(rooms(place).waiting).toEqual([name]);
  });
});

/** A machine whose process dies at its nth change of names: that and all later calls fail. */
function dyingAt(step: number): { readonly machine: Machine; readonly calls: () => number } {
  let calls = 0;
  const { files } = realMachine;
  const counted =
    <A extends unknown[], R>(act: (...args: A) => R) =>
    (...args: A): R => {
      calls += 1;
      if (calls >= step) throw Object.assign(new Error('EIO: dead'), { code: 'EIO', syscall: 'test' });
      return act(...args);
    };
  const machine: Machine = {
    ...realMachine,
    files: {
      ...files,
      open: (path, mode) =>
        mode === 'create' || mode === 'truncate' ? counted(files.open)(path, mode) : files.open(path, mode),
      rename: counted(files.rename),
      link: counted(files.link),
      unlink: counted(files.unlink),
      mkdir: counted(files.mkdir),
      fsync: counted(files.fsync),
    },
  };
  return { machine, calls: () => calls };
}

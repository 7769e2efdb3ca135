/** Servers that ask who we are, and servers that are of no use: by the command and by the library, on real ones. */

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNats } from '../../src/jetstream/connect.ts';
import { parseLocation } from '../../src/jetstream/location.ts';
import { initStream } from '../../src/jetstream/stream.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { lacking } from '../faults/support/needs.ts';
import { INTRAY_VARIANTS, intrayCli } from '../support/intray-cli.ts';
import { machineWith } from '../support/machines.ts';
import { useNats } from '../support/nats.ts';
import { makeAccounts, makeCertificates } from '../support/nats-secrets.ts';
import { useTemporary } from '../support/temporary.ts';

useTemporary();
const directory = mkdtempSync(join(tmpdir(), 'intray-secrets-'));
afterAll(() => rmSync(directory, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const lack = lacking({ tools: ['nats-server', 'openssl'] });
const SECRET = 'sesame-99';
const accounts = makeAccounts();
const [good, old] = [1, -1].map((days) => {
  const place = mkdtempSync(join(directory, 'tls-'));
  return lack === undefined ? makeCertificates(place, days) : { authority: '', certificate: '', key: '' };
});
const tls = (of = good) => `tls { cert_file: "${of?.certificate}", key_file: "${of?.key}" }`;
const users = `accounts {
  limited: { users: [{ user: limited, password: "${SECRET}" }], jetstream: { max_streams: 1 } }
  none: { users: [{ user: none, password: "${SECRET}" }] }
  mute: { users: [{ user: mute, password: "${SECRET}", permissions: { publish: [nothing] } }], jetstream: enabled }
  narrow: { users: [{ user: narrow, password: "${SECRET}", permissions: {
    publish: ["intray.>", "$JS.API.>", "$O.>"], subscribe: ["intray.>", "_INBOX.>"] } }], jetstream: enabled }
  full: { users: [{ user: full, password: "${SECRET}" }], jetstream: enabled }
}`;
const withUsers = useNats(1, `${users}\n${tls()}`);
const withToken = useNats(1, `authorization { token: "${SECRET}" }`);
const withAccounts = useNats(1, accounts.settings);
const expired = useNats(1, tls(old));

beforeAll(async () => {
  if (lack !== undefined) return;
  // The only one that it may have.
  const env = new Map(Object.entries(as('limited')).map(([name, value]) => [name, value ?? '']));
  const machine = machineWith({ host: { ...realMachine.host, env: () => env } });
  await initStream(machine, `nats://${named(withUsers.addresses)}/taken`);
});

const CA = { NATS_CA: good?.authority };
const as = (user: string) => ({ ...CA, NATS_USER: user, NATS_PASSWORD: SECRET });
const creds = { NATS_CREDS: file('creds', accounts.credentials) };

const WELL: readonly (readonly [string, () => string, NodeJS.ProcessEnv])[] = [
  ['a user and a password, and TLS', () => withUsers.servers[0]?.address ?? '', as('full')],
  ['a user who may do what is needed', () => withUsers.servers[0]?.address ?? '', as('narrow')],
  ['a token', () => withToken.addresses, { NATS_TOKEN: SECRET }],
  ['credentials', () => withAccounts.addresses, creds],
];

/** More than is in a message. */
const LARGE = `${'x'.repeat(300_000)}\n`;

const named = (address: string) => address.replace('127.0.0.1', 'localhost');

/** Where, what is set, what is said of it. */
const REFUSED: readonly (readonly [string, () => string, NodeJS.ProcessEnv, RegExp])[] = [
  [
    'a wrong password',
    () => withUsers.addresses,
    { ...as('full'), NATS_PASSWORD: 'no' },
    /does not let us in.*NATS_USER/s,
  ],
  ['no password', () => withUsers.addresses, CA, /does not let us in.*NATS_USER/s],
  ['a wrong token', () => withToken.addresses, { NATS_TOKEN: 'no' }, /does not let us in.*NATS_TOKEN/s],
  [
    'a user whose time is over',
    () => withAccounts.addresses,
    { NATS_CREDS: file('old', accounts.expired) },
    /does not let us in/,
  ],
  [
    'a file of credentials that is none',
    () => withAccounts.addresses,
    { NATS_CREDS: file('none', SECRET) },
    /NATS_CREDS names holds none/,
  ],
  [
    'a file of credentials that is missing',
    () => withAccounts.addresses,
    { NATS_CREDS: '/nowhere' },
    /NATS_CREDS: \/nowhere: no such file/,
  ],
  [
    'an unknown authority',
    () => withUsers.addresses,
    { ...as('full'), NATS_CA: undefined },
    /vouches for.*NATS_CA=FILE/s,
  ],
  [
    'a missing authority',
    () => withUsers.addresses,
    { NATS_CA: '/nowhere' },
    /NATS_CA: \/nowhere: no such file/,
  ],
  ['an expired certificate', () => expired.addresses, { NATS_CA: old?.authority }, /has expired/],
  ['no TLS where it is wanted', () => withToken.addresses, CA, /does not speak TLS/],
  ['an account without JetStream', () => withUsers.addresses, as('none'), /not enabled for account/],
  ['an account that may have no stream', () => withUsers.addresses, as('limited'), /refuses/],
  ['a user who may say nothing', () => withUsers.addresses, as('mute'), /may not do that/],
  ['a name that nobody knows', () => 'no-such-host.invalid', {}, /nobody knows that name/],
];

describe.skipIf(lack !== undefined)(`servers with secrets${lack === undefined ? '' : `: ${lack}`}`, () => {
  describe.each(INTRAY_VARIANTS)('by %s', (_, program, first) => {
    it.each(WELL)('let in who has %s', (_name, address, env) => {
      const { run } = intrayCli(program, first);
      const queue = `nats://${named(address())}/q${first.length}`;
      expect(run(['init', queue], { env })).toMatchObject({ status: 0, stderr: '' });
      expect(run(['add', queue], { env, input: 'hello\n' })).toMatchObject({ status: 0, stderr: '' });
      expect(run(['add', queue], { env, input: LARGE })).toMatchObject({ status: 0, stderr: '' });
      const worked = run(['work', queue, '--output', 'inherit', '--', 'cat'], { env });
      expect(worked).toMatchObject({ status: 0, stdout: `hello\n${LARGE}` });
    });

    it.each(REFUSED)('say in a moment what is wrong: %s', (_name, address, env, words) => {
      const { run } = intrayCli(program, first);
      const beganMs = performance.now();
      const { status, stdout, stderr } = run(['init', `nats://${named(address())}/new`], { env });
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(words);
      expect(stderr).not.toContain(SECRET);
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(performance.now() - beganMs).toBeLessThan(MOMENT_MS);
    });
  });

  it('are told apart by the library too', async () => {
    const env = new Map([['NATS_TOKEN', 'no']]);
    const machine = machineWith({ host: { ...realMachine.host, env: () => env } });
    const location = parseLocation(`nats://${withToken.addresses}/q`);
    await expect(connectNats(machine, location)).rejects.toMatchObject({
      code: 'not-reachable',
      hint: expect.stringContaining('NATS_TOKEN'),
    });
  });
});

/** Much less than the 30 s for which servers are waited for that may come back. */
const MOMENT_MS = 20_000;

describe('what is no server for us', () => {
  const INFO = { server_id: 'x', proto: 1, max_payload: 1024, headers: true };
  const ENOUGH = { ...INFO, version: '2.9.10' };
  it.each([
    ['is no server of NATS', '220 mail\r\n', /is no server of NATS/],
    ['says nothing', '', /nobody answers who speaks as a server of NATS/],
    [
      'is too old',
      `INFO ${JSON.stringify({ ...INFO, version: '2.2.6', jetstream: true })}\r\nPONG\r\n`,
      /2\.2\.6, which is too old/,
    ],
    ['has no JetStream', `INFO ${JSON.stringify(ENOUGH)}\r\nPONG\r\n`, /has no JetStream/],
  ])('%s', async (_, greeting, words) => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).resume();
      socket.write(greeting);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const child = intrayCli().start(['init', `nats://127.0.0.1:${port}/q`]);
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const [status] = await once(child, 'close');
    server.close();
    expect(status).toBe(1);
    expect(said).toMatch(words);
  });
});

/** What servers of NATS ask for: certificates of an authority of our own, and accounts and users signed with keys. */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';

export type Certificates = { readonly authority: string; readonly certificate: string; readonly key: string };

/** For `localhost`, by an authority of our own; `days` below 0: it has expired. Returns files in the directory. */
export function makeCertificates(directory: string, days: number): Certificates {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  writeFileSync(`${directory}/names`, 'subjectAltName=DNS:localhost\n');
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ours', '-days', '2');
  openssl('req', ...key, '-keyout', 'key.pem', '-out', 'request', '-subj', '/CN=localhost');
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', String(days)];
  openssl('x509', '-req', '-in', 'request', '-out', 'cert.pem', ...signing, '-extfile', 'names');
  const [authority, certificate, keyFile] = ['ca.pem', 'cert.pem', 'key.pem'].map(
    (name) => `${directory}/${name}`,
  );
  return { authority: authority ?? '', certificate: certificate ?? '', key: keyFile ?? '' };
}

export type Accounts = {
  /** Lines for the configuration of a server. */
  readonly settings: string;
  /** The text of a file of credentials of a user. */
  readonly credentials: string;
  /** The same for one whose time is over. */
  readonly expired: string;
};

/** An operator with an account that may use JetStream. */
export function makeAccounts(): Accounts {
  const [operator, system, account] = [createOperator(), createAccount(), createAccount()];
  const unlimited = {
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
    conn: -1,
    leaf: -1,
  };
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const accountToken = (key: KeyPair, more: object) =>
    token(operator, key.getPublicKey(), { type: 'account', limits: { ...unlimited, ...more } });
  const preload = [
    [system.getPublicKey(), accountToken(system, {})],
    [account.getPublicKey(), accountToken(account, storage)],
  ].map(([name, text]) => `${name}: ${text}`);
  const user = createUser();
  const userToken = (more: object) =>
    token(account, user.getPublicKey(), { type: 'user', subs: -1, data: -1, payload: -1 }, more);
  const asFile = (text: string) =>
    [
      ...['-----BEGIN NATS USER JWT-----', text, '------END NATS USER JWT------', ''],
      ...['-----BEGIN USER NKEY SEED-----', Buffer.from(user.getSeed()).toString()],
      ...['------END USER NKEY SEED------', ''],
    ].join('\n');
  return {
    settings: [
      `operator: ${token(operator, operator.getPublicKey(), { type: 'operator' })}`,
      `system_account: ${system.getPublicKey()}`,
      'resolver: MEMORY',
      `resolver_preload: { ${preload.join('\n')} }`,
    ].join('\n'),
    credentials: asFile(userToken({})),
    expired: asFile(userToken({ exp: 1 })),
  };
}

function token(issuer: KeyPair, subject: string, nats: object, more: object = {}): string {
  const encoded = (part: object | Uint8Array) =>
    Buffer.from(part instanceof Uint8Array ? part : JSON.stringify(part)).toString('base64url');
  const claims = {
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000) - 10,
    iss: issuer.getPublicKey(),
    sub: subject,
    nats: { version: 2, ...nats },
    ...more,
  };
  const text = `${encoded({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encoded(claims)}`;
  return `${text}.${encoded(issuer.sign(Buffer.from(text)))}`;
}

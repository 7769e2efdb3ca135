/**
 * Signatures as in Standard Webhooks: HMAC-SHA256 over id, time and body, so that a receiver knows who has sent it, and
 * that it is not an old one. While a secret is being replaced the file has both, one a line, and each signs.
 */

import { decodeBase64, encodeBase64 } from '../os/base64.ts';
import { decodeBytes } from '../os/bytes.ts';
import { hmacSha256 } from '../os/hmac.ts';
import type { Files } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';

export type Secret = Uint8Array<ArrayBuffer>;

const LIMIT_BYTES = 4096;
/** Source: Standard Webhooks, "Signature scheme": 24 to 64 bytes, in base64, behind `whsec_`. */
const PREFIX = 'whsec_';
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/** Throws `bad-setting`. */
export async function readSecrets(files: Files, path: string): Promise<readonly Secret[]> {
  let text: string;
  try {
    text = decodeBytes(await readSmallFile(files, path, LIMIT_BYTES));
  } catch (error) {
    throw new QueueError('bad-setting', `${path}: the secret cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const secrets = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(secretOf);
  if (secrets.length > 0 && secrets.every((secret) => secret !== undefined)) return secrets;
  throw new QueueError(
    'bad-setting',
    `${path}: expected ${PREFIX} and ${LEAST_BYTES} to ${MOST_BYTES} random bytes in base64 in each line, as made by: echo "${PREFIX}$(openssl rand -base64 32)"`,
  );
}

function secretOf(line: string): Secret | undefined {
  const word = line.trim();
  const bytes = word.startsWith(PREFIX) ? decodeBase64(word.slice(PREFIX.length)) : undefined;
  return bytes !== undefined && bytes.length >= LEAST_BYTES && bytes.length <= MOST_BYTES ? bytes : undefined;
}

/** The header `webhook-signature`: that of each secret. */
export async function signatures(
  secrets: readonly Secret[],
  { id, seconds, body }: { readonly id: string; readonly seconds: bigint; readonly body: string },
): Promise<string> {
  const signed = secrets.map((secret) => hmacSha256(secret, `${id}.${seconds}.${body}`));
  return (await Promise.all(signed)).map((bytes) => `v1,${encodeBase64(bytes)}`).join(' ');
}

/**
 * Telling a receiver by HTTP: one POST. Only an answer from 200 to 299 means that it was told; a redirect does not, and is
 * not followed, for what a notice says is for that receiver alone.
 */

import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import type { Http, HttpResponse, Machine } from '../os/ports.ts';
import { reasonOf } from '../queue/errors.ts';
import { TryLater } from '../worker/handler.ts';
import type { Posted } from './notice.ts';
import { readSecrets, signatures } from './secrets.ts';

export type Webhook = {
  readonly url: string;
  /** Left out: it is sent unsigned. */
  readonly secretFile?: string | undefined;
};

/** How long nothing may come or go. */
const IDLE_MS = 10_000;
/** And how long it may take in all, however slowly something comes. */
const TOTAL_MS = 30_000;
/** So much of an answer is read, for its first words. */
const ANSWER_LIMIT_BYTES = 1024;
const SHOWN_CHARACTERS = 100;
/** The longest that a receiver may put us off. */
const LATEST_MS = 86_400_000;

/** Throws when nobody can be said to have been told. */
export async function postNotice(
  machine: Machine,
  webhook: Webhook,
  notice: Posted,
  stop: AbortSignal,
): Promise<void> {
  const { clock } = machine;
  const http = machine.http as Http; // checked when it was opened
  const bytes = encodeBytes(notice.body);
  const headers = new Map([
    ...(await webhookHeaders(machine, webhook, notice)),
    ['content-type', 'application/json'],
    ['content-length', String(bytes.length)],
    ['user-agent', 'intray'],
  ]);
  // Not made of `stop` and another signal: such are kept as long as those, and `stop` lasts as long as the worker.
  const end = new AbortController();
  let isLate = false;
  const cancel = clock.after(TOTAL_MS, () => {
    isLate = true;
    end.abort();
  });
  const onStop = () => end.abort();
  stop.addEventListener('abort', onStop);
  try {
    if (stop.aborted) end.abort();
    const request = { method: 'POST', path: '', headers, body: piece(bytes) };
    const answer = await http.request(webhook.url, request, IDLE_MS, end.signal);
    // What it says besides is for people, and may be late or broken off.
    const words = await firstWords(answer).catch(() => '');
    if (answer.status < 200 || answer.status > 299) throw refusal(webhook.url, answer, words);
  } catch (error) {
    if (isLate) {
      throw new Error(`${shownUrl(webhook.url)} took longer than ${TOTAL_MS / 1000} s`, { cause: error });
    }
    if (error instanceof TryLater) throw error;
    throw new Error(`${shownUrl(webhook.url)} cannot be told: ${reasonOf(error)}`, { cause: error });
  } finally {
    cancel();
    stop.removeEventListener('abort', onStop);
  }
}

async function webhookHeaders(
  { files, clock }: Machine,
  { secretFile }: Webhook,
  { id, body }: Posted,
): Promise<Map<string, string>> {
  const { seconds } = clock.now();
  const headers = new Map([
    ['webhook-id', id],
    ['webhook-timestamp', String(seconds)],
  ]);
  if (secretFile === undefined) return headers;
  const secrets = await readSecrets(files, secretFile);
  return headers.set('webhook-signature', await signatures(secrets, { id, seconds, body }));
}

async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What is behind the first bytes is not waited for. */
async function firstWords({ body }: HttpResponse): Promise<string> {
  const read = new Uint8Array(ANSWER_LIMIT_BYTES);
  let at = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    const taken = chunk.subarray(0, read.length - at);
    read.set(taken, at);
    at += taken.length;
    if (at === read.length) break;
  }
  const text = decodeBytes(read.subarray(0, at));
  return (text.split('\n')[0] ?? '').trim().slice(0, SHOWN_CHARACTERS);
}

function refusal(url: string, { status, headers }: HttpResponse, words: string): TryLater {
  const said = words === '' ? '' : `: ${words}`;
  const retryAfter = new Map(headers).get('retry-after') ?? '';
  const seconds = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : 0;
  return new TryLater(`${shownUrl(url)} answered ${status}${said}`, Math.min(seconds * 1000, LATEST_MS));
}

/** The rest of a URL is often what nobody else may know. */
function shownUrl(url: string): string {
  return new URL(url).origin;
}

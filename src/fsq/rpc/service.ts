/**
 * What `fsq jsonrpcd` answers: JSON-RPC 2.0 over HTTP, with the methods of the original.
 *
 * | method                          | result                                                         |
 * |---------------------------------|----------------------------------------------------------------|
 * | `enqueue(item_id, queue, data)` | true, when the item is in the queue for good, or was before     |
 * | `trigger_pull(queue)`           | true when a listener was told                                  |
 * | `is_down(queue)`                | whether the queue is down                                      |
 * | `api_version()`                 | "1.0"                                                          |
 *
 * Errors have JSON-RPC's codes, or FSQ_FAIL_PERM (sent again it fails again) and FSQ_FAIL_TMP (try again).
 *
 * Whoever can reach us could add items, so a token is asked for where there is one. A web page that somebody here looks at
 * can reach us too, even on this machine alone; but it cannot send JSON without saying where it comes from, and is refused.
 */

import type { HttpRequest, HttpResponse, Machine } from '../../os/ports.ts';
import { isSameSecret } from '../../os/same-secret.ts';
import { isQueueError, QueueError, reasonOf } from '../../queue/errors.ts';
import type { Constants } from '../constants.ts';
import { checkName, isDown, join, type Place, placeAt, requirePlace } from '../place.ts';
import { pullTrigger } from '../trigger.ts';
import { type Call, CallError, INVALID_PARAMS, METHOD_NOT_FOUND, readCall } from './call.ts';
import type { Scalar } from './json-reader.ts';
import { type Incoming, receive } from './receive.ts';

export const API_VERSION = '1.0';

export type ServiceOptions = {
  /** What a request must bear; undefined: nothing. */
  readonly token: string | undefined;
  /** Of one item. */
  readonly limitBytes: number;
  /** Told of each call, and what became of it. */
  readonly onCall?: (method: string, outcome: string) => void | Promise<void>;
};

/** Those that clients of JSON-RPC send. None is one that a web page may send unasked. */
const CONTENT_TYPES = new Set(['application/json', 'application/json-rpc', 'application/jsonrequest']);

export async function answer(
  machine: Machine,
  constants: Constants,
  options: ServiceOptions,
  request: HttpRequest,
): Promise<HttpResponse> {
  const { headers } = request;
  if (request.method !== 'POST') return plain(405, 'POST is all that is answered here', [['allow', 'POST']]);
  if (headers.has('origin')) return plain(403, 'web pages are not served');
  if (!mayCall(options.token, headers.get('authorization'))) {
    return plain(401, 'a token is missing, or is another one', [['www-authenticate', 'Bearer']]);
  }
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!CONTENT_TYPES.has(type)) return plain(415, 'application/json is all that is taken');
  let call: Call<Incoming> | undefined;
  try {
    call = await readCall(request.body, async (params) =>
      receive(machine, await placeOf(machine, constants, params), constants, options.limitBytes),
    );
    const result = await resultOf(machine, constants, call);
    await options.onCall?.(call.method, 'done');
    return call.id === undefined ? plain(204, '') : reply({ result, id: call.id });
  } catch (error) {
    await options.onCall?.(call?.method ?? 'a call', reasonOf(error));
    return reply({ error: errorOf(constants, error), id: call?.id ?? null });
  } finally {
    await call?.data?.discard();
  }
}

async function resultOf(machine: Machine, constants: Constants, call: Call<Incoming>): Promise<Scalar> {
  const { method, params, data } = call;
  switch (method) {
    case 'api_version':
      return API_VERSION;
    case 'is_down':
      return isDown(machine, await placeOf(machine, constants, params, 'item_id'));
    case 'trigger_pull':
      return pullTrigger(machine, (await placeOf(machine, constants, params, 'item_id')).trigger);
    case 'enqueue': {
      const id = params.get('item_id');
      if (typeof id !== 'string') throw new CallError(INVALID_PARAMS, 'item_id is no string');
      if (data === undefined) throw new CallError(INVALID_PARAMS, 'data is no string');
      await data.accept(id);
      return true;
    }
    default:
      throw new CallError(METHOD_NOT_FOUND, `there is no method ${JSON.stringify(method)}`);
  }
}

/** By its name, or its place: the first parameter of methods that have no other. */
async function placeOf(
  machine: Machine,
  constants: Constants,
  params: ReadonlyMap<string, Scalar>,
  place = 'queue',
): Promise<Place> {
  const name = params.get('queue') ?? params.get(place);
  if (typeof name !== 'string')
    throw new CallError(INVALID_PARAMS, 'queue is no string, or comes behind the data');
  checkName('queue', name);
  const found = placeAt(join(constants.root, name), constants);
  await requirePlace(machine, found);
  return found;
}

function mayCall(token: string | undefined, authorization: string | undefined): boolean {
  if (token === undefined) return true;
  return isSameSecret(/^Bearer +(.*)$/i.exec(authorization ?? '')?.[1] ?? '', token);
}

function errorOf(constants: Constants, error: unknown): { readonly code: number; readonly message: string } {
  if (error instanceof CallError) return { code: error.code, message: error.message };
  const isForGood = isQueueError(error, 'bad-setting', 'not-written', 'not-possible');
  return {
    code: isForGood ? constants.failPerm : constants.failTmp,
    message: error instanceof QueueError ? error.message : reasonOf(error),
  };
}

function reply(body: object): HttpResponse {
  const bytes = new TextEncoder().encode(`${JSON.stringify({ jsonrpc: '2.0', ...body })}\n`);
  return { status: 200, headers: [['content-type', 'application/json']], body: bytes };
}

function plain(
  status: number,
  text: string,
  headers: readonly (readonly [string, string])[] = [],
): HttpResponse {
  const body = new TextEncoder().encode(text === '' ? '' : `${text}\n`);
  return { status, headers: [['content-type', 'text/plain; charset=utf-8'], ...headers], body };
}

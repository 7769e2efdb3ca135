/**
 * What two relays say to each other: the giver, who has the jobs and keeps each until it is done, and the taker, who adds
 * them to a queue.
 *
 * | who   | message  | what it means                                              | a crash of either side after it leaves             |
 * |-------|----------|------------------------------------------------------------|----------------------------------------------------|
 * | both  | `hello`  | who I am, which role I have                                | nothing                                            |
 * | taker | `sorry`  | I cannot go on, and why                                    | nothing                                            |
 * | both  | `bye`    | I hang up: a pipe need not show it, a shell has it open too | the same as before it                              |
 * | both  | `alive`  | I am here, though I have nothing to say                    | the same as before it                              |
 * | giver | `offer`  | a job, all but its payload; a number for it                | the job at the giver                               |
 * | taker | `full`   | there is no room for it yet                                | the same                                           |
 * | taker | `go`     | its payload is wanted, from that byte on                   | the same; a large payload that was cut is kept     |
 * | giver | data     | some of the payload                                        | the same, with more of it                          |
 * | giver | `end`    | that was all: its size and checksum                        | the job at the giver; at the taker perhaps too: it |
 * |       |          |                                                            | is offered again, and known there by its name      |
 * | giver | `drop`   | it does not come after all                                 | the job at the giver                               |
 * | taker | `done`   | it is in the queue for good, now or since long             | both; offered again, it is known there             |
 * | taker | `refuse` | this queue will never take it, and why                     | the job at the giver, who lets it fail             |
 * | taker | `later`  | it could not be taken now, and why                         | the job at the giver, who offers it again          |
 *
 * After `done` the giver settles the job in its own queue. Only then a job that is offered again is nobody's.
 */

import { QueueError } from '../../queue/errors.ts';
import type { CarriedJob } from '../carried.ts';

export type Role = 'giver' | 'taker';

export type Hello = {
  readonly say: 'hello';
  readonly role: Role;
  /** The giver asks for no more jobs to wait than so many. */
  readonly maxWaiting?: number | undefined;
  /** Whether the taker's queue knows a second job of a name. */
  /** Whether jobs without a lane keep their order there. */
  readonly keepsOrder?: boolean | undefined;
};

/** Of a problem: a sentence, and the code of the error it came from, if it had one. */
type Problem = { readonly message: string; readonly code?: string | undefined };

export type GiverMessage =
  | { readonly say: 'offer'; readonly job: number; readonly carried: CarriedJob }
  | { readonly say: 'end'; readonly job: number; readonly bytes: number; readonly crc: number }
  | { readonly say: 'drop'; readonly job: number };

export type TakerMessage =
  | { readonly say: 'full'; readonly job: number }
  | { readonly say: 'go'; readonly job: number; readonly from: number }
  | { readonly say: 'done'; readonly job: number; readonly id: string; readonly duplicate: boolean }
  | ({ readonly say: 'refuse' | 'later'; readonly job: number } & Problem);

export type CommonMessage =
  | Hello
  | ({ readonly say: 'sorry' } & Problem)
  | { readonly say: 'bye' }
  | { readonly say: 'alive' };

export type Message = GiverMessage | TakerMessage | CommonMessage;

const SHAPES: Readonly<Record<Message['say'], Readonly<Record<string, string>>>> = {
  hello: { role: 'string' },
  sorry: { message: 'string' },
  bye: {},
  alive: {},
  offer: { job: 'number', carried: 'object' },
  end: { job: 'number', bytes: 'number', crc: 'number' },
  drop: { job: 'number' },
  full: { job: 'number' },
  go: { job: 'number', from: 'number' },
  done: { job: 'number', id: 'string', duplicate: 'boolean' },
  refuse: { job: 'number', message: 'string' },
  later: { job: 'number', message: 'string' },
};

/** Throws `not-connected` for what is none of these. */
export function parseMessage(text: string): Message {
  const message = parseJson(text);
  const shape = Object.hasOwn(SHAPES, String(message.say))
    ? SHAPES[message.say as Message['say']]
    : undefined;
  const fits =
    shape !== undefined && Object.entries(shape).every(([field, type]) => typeof message[field] === type);
  if (!fits || (message.say === 'offer' && !isCarried(message.carried))) throw notUnderstood(text);
  return message as Message;
}

function parseJson(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw notUnderstood(text);
}

function isCarried(value: unknown): value is CarriedJob {
  if (typeof value !== 'object' || value === null) return false;
  const { name, params, env, lane, priority, notBeforeMs, expiresMs } = value as Record<string, unknown>;
  const isText = (one: unknown) => typeof one === 'string';
  const isNumber = (one: unknown) => one === undefined || Number.isFinite(one);
  return (
    isText(name) &&
    Array.isArray(params) &&
    params.every(isText) &&
    typeof env === 'object' &&
    env !== null &&
    Object.values(env).every(isText) &&
    (lane === undefined || isText(lane)) &&
    [priority, notBeforeMs, expiresMs].every(isNumber)
  );
}

const SHOWN_CHARACTERS = 80;

function notUnderstood(text: string): QueueError {
  const shown = JSON.stringify(text.slice(0, SHOWN_CHARACTERS));
  return new QueueError('not-connected', `the other side said what is not understood here: ${shown}`);
}

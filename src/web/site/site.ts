/**
 * The pages of a dashboard, by their addresses. Only where that was asked for can anything be changed through it: posts.ts.
 *
 * | path                       | what                                             |
 * |----------------------------|--------------------------------------------------|
 * | `/`                        | all queues                                       |
 * | `/queues/SLUG`             | one: `?state=`, `lane=`, `text=`, `page=`         |
 * | `/queues/SLUG/charts`      | its runs over time                               |
 * | `/queues/SLUG/jobs/ID`     | a job of it; `?payload=hex`                       |
 * | `/metrics`                 | OpenMetrics                                       |
 * | `/events`                  | server-sent events: when to ask again             |
 * | `/style.css`, `/live.js`   |                                                  |
 *
 * And where things can be changed, by POST, which a page has a form for where it says so:
 *
 * | path                                 | form                                    |
 * |--------------------------------------|-----------------------------------------|
 * | `/queues/SLUG/pause`, `/resume`      | a button on the page of the queue       |
 * | `/queues/SLUG/add`, `/retry-failed`  | a page of their own, there              |
 * | `/queues/SLUG/jobs/ID/delete`        | the same                                |
 * | `.../jobs/ID/retry`, `hold`, `release` | buttons on the page of the job        |
 *
 * No part of an address ever becomes part of a file name: SLUG is looked up among those of the queues that were found, ID
 * among the jobs that were seen.
 */

import { type Bell, newBell } from '../../os/bell.ts';
import type { HttpRequest, HttpResponse, Machine } from '../../os/ports.ts';
import { QueueError, reasonOf } from '../../queue/errors.ts';
import { measure } from '../measure.ts';
import { metricsOf } from '../metrics.ts';
import { openMetricsText } from '../openmetrics.ts';
import { type PageParts, STYLE } from '../pages/page.ts';
import type { Seen } from '../seen.ts';
import { newsOf } from './events.ts';
import { type Guard, refusalOf, SAFE_HEADERS } from './guard.ts';
import type { Look, Looks } from './looks.ts';
import { type PostSettings, Posts } from './posts.ts';
import { notFound, pageReply, reply, TEXT, withoutBody } from './reply.ts';
import { SCRIPT } from './script.ts';
import { CODE_FIELD, Sessions } from './session.ts';
import {
  chartParts,
  deleteParts,
  formParts,
  jobParts,
  LINKS,
  overviewParts,
  queueParts,
  type View,
} from './views.ts';

export type Site = {
  answer(request: HttpRequest): Promise<HttpResponse>;
  /** Ends what would go on for ever. */
  close(): void;
};

/** A page is painted from a look that is no older than this. */
const FRESH_MS = 1000;
const MEASURED_RUNS = 1000;
/** Of those who watch at once: each keeps a connection. */
const MOST_WATCHERS = 32;

/** `changes`: left out where nothing can be changed. */
export function newSite(
  machine: Machine,
  looks: Looks,
  guarded: Omit<Guard, 'mayChange'>,
  changes?: PostSettings,
): Site {
  const guard: Guard = { ...guarded, mayChange: changes !== undefined };
  const sessions = new Sessions(machine);
  const posts = changes === undefined ? undefined : new Posts(machine, looks, LINKS, sessions, changes);
  const watchers = new Set<Bell>();
  let isClosed = false;

  const watch = async function* () {
    const bell = newBell(machine.clock);
    watchers.add(bell);
    try {
      yield* newsOf(machine.clock, looks, bell);
    } finally {
      watchers.delete(bell);
    }
  };
  const file = async (way: string, accept: string): Promise<HttpResponse | undefined> => {
    if (way === '/style.css') return reply(200, 'text/css; charset=utf-8', STYLE);
    if (way === '/live.js') return reply(200, 'text/javascript; charset=utf-8', SCRIPT);
    if (way === '/metrics') return metricsReply(await looks.fresh(FRESH_MS), accept);
    if (way !== '/events') return undefined;
    if (isClosed || watchers.size >= MOST_WATCHERS) return reply(503, TEXT, 'Too many watch already.\n');
    return { status: 200, headers: [['content-type', 'text/event-stream'], ...SAFE_HEADERS], body: watch() };
  };
  const pageAt = async (queue: Seen, rest: string, view: View): Promise<PageParts | undefined> => {
    const [, segment, verb] = /^(?:\/jobs\/([^/]+))?(?:\/([a-z-]+))?$/.exec(rest) ?? [];
    if (verb === undefined) {
      if (segment !== undefined) return jobParts(machine, queue, segment, view);
      return rest === '' ? queueParts(queue, view) : undefined;
    }
    if (segment === undefined && verb === 'charts') return chartParts(queue, view);
    if (view.code === undefined || changes === undefined) return undefined;
    if (segment === undefined) return formParts(queue, verb, view.code, changes.fileBytes);
    return verb === 'delete' ? deleteParts(queue, segment, view.code) : undefined;
  };
  const route = async (request: HttpRequest): Promise<HttpResponse> => {
    const [way, query] = split(request.path, '?');
    const found = await file(way, request.headers.get('accept') ?? '');
    if (found !== undefined) return found;
    const session = posts === undefined ? undefined : await sessions.of(request);
    const code = session === undefined ? undefined : { field: CODE_FIELD, value: session.code };
    const paint = async (look: Look): Promise<HttpResponse> => {
      const view: View = { look, query, code };
      if (way === '/') return pageReply(overviewParts(view), session?.headers);
      const [, slug = '', rest = ''] = /^\/queues\/([\w-]+)((?:\/.*)?)$/.exec(way) ?? [];
      const queue = look.queues.find((one) => one.slug === slug);
      if (queue === undefined) return notFound('There is no such page.');
      if (queue.kind === 'unseen') return notFound(`${queue.location}: ${queue.problem}`);
      const parts = await pageAt(queue, rest, view);
      if (parts === undefined) return notFound('There is no such job any more, or no such page.');
      return pageReply(parts, session?.headers);
    };
    const painted = await paint(await looks.recent(FRESH_MS));
    // What is not in a look that is some seconds old may have come since.
    return painted.status === 404 && way.startsWith('/queues/') ? paint(await looks.renewed()) : painted;
  };
  return {
    answer: async (request) => {
      const refusal = refusalOf(guard, request);
      if (refusal !== undefined) return reply(refusal.status, TEXT, `${refusal.text}\n`, refusal.headers);
      try {
        if (request.method === 'POST' && posts !== undefined) return await posts.answer(request);
        const answered = await route(request);
        return request.method === 'HEAD' ? withoutBody(answered) : answered;
      } catch (error) {
        return reply(500, TEXT, `${error instanceof QueueError ? error.message : reasonOf(error)}\n`);
      }
    },
    close: () => {
      isClosed = true;
      for (const bell of watchers) bell.ring();
    },
  };
}

async function metricsReply({ queues }: Look, accept: string): Promise<HttpResponse> {
  const isOpen = accept.includes('application/openmetrics-text');
  const type = isOpen
    ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
    : `${TEXT}; version=0.0.4`;
  return reply(200, type, openMetricsText(metricsOf(await measure(queues, MEASURED_RUNS))));
}

/** At the first of these; without it, all is before it. */
function split(text: string, mark: string): readonly [before: string, after: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

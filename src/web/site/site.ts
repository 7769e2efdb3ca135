/**
 * The pages of a dashboard, by their addresses. Nothing can be changed through it.
 *
 * | path                       | what                                             |
 * |----------------------------|--------------------------------------------------|
 * | `/`                        | all queues                                       |
 * | `/queues/SLUG`             | one: `?state=`, `lane=`, `text=`, `page=`         |
 * | `/queues/SLUG/jobs/ID`     | a job of it; `?payload=hex`                       |
 * | `/metrics`                 | OpenMetrics                                       |
 * | `/events`                  | server-sent events: when to ask again             |
 * | `/style.css`, `/live.js`   |                                                  |
 *
 * No part of an address ever becomes part of a file name: SLUG is looked up among those of the queues that were found, ID
 * among the jobs that were seen.
 */

import { html } from '../../html/markup.ts';
import { type Bell, newBell } from '../../os/bell.ts';
import type { HttpRequest, HttpResponse, Machine } from '../../os/ports.ts';
import { QueueError, reasonOf } from '../../queue/errors.ts';
import { type Filter, readFilter } from '../filter.ts';
import { sightOf } from '../job-sight.ts';
import { jobPage } from '../jobs.ts';
import { measure } from '../measure.ts';
import { metricsOf } from '../metrics.ts';
import { openMetricsText } from '../openmetrics.ts';
import { jobBody } from '../pages/job.ts';
import { overviewBody } from '../pages/overview.ts';
import { type PageParts, STYLE, servedPage } from '../pages/page.ts';
import { filterForm, jobsTable, pager, queueStanding, stateLinks } from '../pages/queue.ts';
import type { Seen, ServedLinks } from '../seen.ts';
import { newsOf } from './events.ts';
import { type Guard, refusalOf, SAFE_HEADERS } from './guard.ts';
import type { Look, Looks } from './looks.ts';
import { SCRIPT } from './script.ts';
import { nameOf, segmentOf } from './segment.ts';

export type Site = {
  answer(request: HttpRequest): Promise<HttpResponse>;
  /** Ends what would go on for ever. */
  close(): void;
};

/** A page is painted from a look that is no older than this. */
const FRESH_MS = 1000;
const JOBS_ON_A_PAGE = 100;
const MEASURED_RUNS = 1000;
/** Of those who watch at once: each keeps a connection. */
const MOST_WATCHERS = 32;

const HTML = 'text/html; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';

const LINKS: ServedLinks = {
  overview: '/',
  queue: (slug) => `/queues/${slug}`,
  filtered: (slug, query) => `/queues/${slug}${query}`,
  job: (slug, id) => `/queues/${slug}/jobs/${segmentOf(id)}`,
};

export function newSite(machine: Machine, looks: Looks, guard: Guard): Site {
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
  const route = async ({ path, headers }: HttpRequest): Promise<HttpResponse> => {
    const [way = '', query = ''] = split(path, '?');
    if (way === '/style.css') return reply(200, 'text/css; charset=utf-8', STYLE);
    if (way === '/live.js') return reply(200, 'text/javascript; charset=utf-8', SCRIPT);
    if (way === '/events') {
      if (isClosed || watchers.size >= MOST_WATCHERS) return reply(503, TEXT, 'Too many watch already.\n');
      return {
        status: 200,
        headers: [['content-type', 'text/event-stream'], ...SAFE_HEADERS],
        body: watch(),
      };
    }
    if (way === '/metrics') return metricsReply(await looks.fresh(FRESH_MS), headers.get('accept') ?? '');
    const look = await looks.recent(FRESH_MS);
    if (way === '/') return page(overviewParts(look));
    const [, slug = '', segment] = /^\/queues\/([\w-]+)(?:\/jobs\/([^/]+))?$/.exec(way) ?? [];
    const queue = look.queues.find((one) => one.slug === slug);
    if (queue === undefined) return notFound('There is no such page.');
    if (queue.kind === 'unseen') return notFound(`${queue.location}: ${queue.problem}`);
    const parts =
      segment === undefined
        ? await queueParts(queue, look, readFilter(query))
        : await jobParts(machine, queue, look, segment, new URLSearchParams(query).get('payload') === 'hex');
    return parts === undefined ? notFound('There is no such job any more.') : page(parts);
  };
  return {
    answer: async (request) => {
      const refusal = refusalOf(guard, request);
      if (refusal !== undefined) return reply(refusal.status, TEXT, `${refusal.text}\n`, refusal.headers);
      try {
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

function overviewParts({ queues, takenMs }: Look): PageParts {
  return { title: 'Queues', trail: [], heading: 'Queues', body: overviewBody(queues, LINKS), takenMs };
}

async function queueParts(queue: Seen, { takenMs }: Look, filter: Filter): Promise<PageParts> {
  const { slug, location, keeper, snapshot } = queue;
  const jobs = await jobPage(keeper, snapshot, filter, JOBS_ON_A_PAGE);
  return {
    title: `${location}: queue`,
    trail: [{ name: 'Queues', href: LINKS.overview }],
    heading: location,
    lead: filterForm(slug, filter, LINKS),
    body: html`${stateLinks(queue, filter, LINKS)}
${jobsTable(queue, jobs, LINKS)}
${pager(slug, filter, jobs, LINKS)}
<h2>The queue</h2>
${queueStanding(queue, LINKS)}`,
    takenMs,
  };
}

/** Undefined when there is no such job. */
async function jobParts(
  machine: Machine,
  queue: Seen,
  { takenMs }: Look,
  segment: string,
  wantsHex: boolean,
): Promise<PageParts | undefined> {
  const { slug, location, keeper, snapshot } = queue;
  const id = nameOf(segment);
  const job = (await keeper.everyJob(snapshot)).find((one) => one.id === id);
  if (job === undefined) return undefined;
  const sight = await sightOf(machine, queue, job);
  return {
    title: `${job.id}: job`,
    trail: [
      { name: 'Queues', href: LINKS.overview },
      { name: location, href: LINKS.queue(slug) },
    ],
    heading: job.id,
    body: jobBody(sight, wantsHex, LINKS.job(slug, job.id)),
    takenMs,
  };
}

async function metricsReply({ queues }: Look, accept: string): Promise<HttpResponse> {
  const isOpen = accept.includes('application/openmetrics-text');
  const type = isOpen
    ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
    : `${TEXT}; version=0.0.4`;
  return reply(200, type, openMetricsText(metricsOf(await measure(queues, MEASURED_RUNS))));
}

function page(parts: PageParts): HttpResponse {
  return reply(200, HTML, servedPage(parts, '/'));
}

function notFound(sentence: string): HttpResponse {
  const body = html`<p>${sentence}</p><p><a href="/">All queues</a></p>`;
  return reply(404, HTML, servedPage({ title: 'Not found', trail: [], heading: 'Not found', body }, '/'));
}

function reply(
  status: number,
  type: string,
  text: string,
  headers: readonly (readonly [name: string, value: string])[] = [],
): HttpResponse {
  const body = new TextEncoder().encode(text);
  return { status, headers: [['content-type', type], ...SAFE_HEADERS, ...headers], body };
}

function withoutBody({ status, headers }: HttpResponse): HttpResponse {
  return { status, headers, body: new Uint8Array() };
}

/** At the first of these; without it, all is before it. */
function split(text: string, mark: string): readonly [before: string, after: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

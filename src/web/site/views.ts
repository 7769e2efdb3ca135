/** What pages are made of, each from one look. Undefined for a job that is not there. */

import { html } from '../../html/markup.ts';
import type { Machine } from '../../os/ports.ts';
import type { FoundJob } from '../../queue/snapshot.ts';
import { readFilter } from '../filter.ts';
import { sightOf } from '../job-sight.ts';
import { jobPage } from '../jobs.ts';
import {
  addForm,
  type Code,
  deleteForm,
  jobButtons,
  noticeOf,
  queueButtons,
  retryForm,
} from '../pages/actions.ts';
import { chartsBody } from '../pages/charts.ts';
import { jobBody } from '../pages/job.ts';
import { overviewBody } from '../pages/overview.ts';
import type { PageParts } from '../pages/page.ts';
import { filterForm, jobsTable, pager, queueStanding, stateLinks } from '../pages/queue.ts';
import { historyOf, readEndedRuns } from '../run-history.ts';
import type { Seen, ServedLinks } from '../seen.ts';
import type { Look } from './looks.ts';
import { nameOf, segmentOf } from './segment.ts';

export const LINKS: ServedLinks = {
  overview: '/',
  queue: (slug) => `/queues/${slug}`,
  filtered: (slug, query) => `/queues/${slug}${query}`,
  job: (slug, id) => `/queues/${slug}/jobs/${segmentOf(id)}`,
};

const JOBS_ON_A_PAGE = 100;
/** Of each the records are a small file to be read. */
const CHARTED_JOBS = 1000;

/** `code`: of forms, where there are any. */
export type View = { readonly look: Look; readonly query: string; readonly code: Code | undefined };

export function overviewParts({ look: { queues, takenMs } }: View): PageParts {
  return { title: 'Queues', trail: [], heading: 'Queues', body: overviewBody(queues, LINKS), takenMs };
}

export async function queueParts(queue: Seen, { look, query, code }: View): Promise<PageParts> {
  const { slug, location, keeper, snapshot } = queue;
  const filter = readFilter(query);
  const jobs = await jobPage(keeper, snapshot, filter, JOBS_ON_A_PAGE);
  return {
    title: `${location}: queue`,
    trail: [{ name: 'Queues', href: LINKS.overview }],
    heading: location,
    lead: html`${noticeOf(new URLSearchParams(query))}${filterForm(slug, filter, LINKS)}`,
    body: html`${code === undefined ? undefined : queueButtons(queue, code, LINKS)}
${stateLinks(queue, filter, LINKS)}
${jobsTable(queue, jobs, LINKS)}
${pager(slug, filter, jobs, LINKS)}
<h2>The queue</h2>
<p><a href="${LINKS.queue(slug)}/charts">Runs over time</a></p>
${queueStanding(queue, LINKS)}`,
    takenMs: look.takenMs,
  };
}

export async function jobParts(
  machine: Machine,
  queue: Seen,
  segment: string,
  { look, query, code }: View,
): Promise<PageParts | undefined> {
  const job = await jobAt(queue, segment);
  if (job === undefined) return undefined;
  const words = new URLSearchParams(query);
  const sight = await sightOf(machine, queue, job);
  const here = LINKS.job(queue.slug, job.id);
  return {
    ...ofJob(queue, job),
    title: `${job.id}: job`,
    lead: html`${noticeOf(words)}`,
    body: html`${code === undefined ? undefined : jobButtons(queue, job, code, LINKS)}
${jobBody(sight, words.get('payload') === 'hex', here)}`,
    takenMs: look.takenMs,
  };
}

/** As it was when it was asked for: so many files are not read again for each piece of news. */
export async function chartParts(queue: Seen, { look }: View): Promise<PageParts> {
  const { slug, location, keeper, snapshot } = queue;
  const history = historyOf(await readEndedRuns(keeper, snapshot, CHARTED_JOBS));
  return {
    ...ofQueue(queue),
    title: `${location}: charts`,
    heading: 'Runs over time',
    body: html`${chartsBody(history, CHARTED_JOBS)}
<p><a href="${LINKS.queue(slug)}/charts">Look again</a></p>`,
    takenMs: look.takenMs,
    isStill: true,
  };
}

export async function deleteParts(queue: Seen, segment: string, code: Code): Promise<PageParts | undefined> {
  const job = await jobAt(queue, segment);
  if (job === undefined) return undefined;
  const parts = ofJob(queue, job);
  const trail = [...parts.trail, { name: job.id, href: LINKS.job(queue.slug, job.id) }];
  const body = deleteForm(queue, job, code, LINKS);
  return { ...parts, trail, title: `${job.id}: delete`, heading: 'Delete this job?', body, isStill: true };
}

/** Forms of the whole queue, by the last part of their address. */
export function formParts(queue: Seen, name: string, code: Code, fileBytes: number): PageParts | undefined {
  const { location } = queue;
  const parts = (heading: string) =>
    ({ title: `${location}: ${heading}`, ...ofQueue(queue), heading, isStill: true }) as const;
  if (name === 'add') return { ...parts('Add a job'), body: addForm(queue, code, LINKS, fileBytes) };
  if (name === 'retry-failed')
    return { ...parts('Run failed jobs again'), body: retryForm(queue, code, LINKS) };
  return undefined;
}

async function jobAt({ keeper, snapshot }: Seen, segment: string): Promise<FoundJob | undefined> {
  const id = nameOf(segment);
  return (await keeper.everyJob(snapshot)).find((one) => one.id === id);
}

function ofQueue({ slug, location }: Seen): Pick<PageParts, 'trail'> {
  return {
    trail: [
      { name: 'Queues', href: LINKS.overview },
      { name: location, href: LINKS.queue(slug) },
    ],
  };
}

function ofJob(queue: Seen, { id }: FoundJob): Pick<PageParts, 'trail' | 'heading'> {
  return { ...ofQueue(queue), heading: id };
}

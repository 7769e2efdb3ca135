/** One queue: how it is, who works it, its lanes, and a page of its jobs. */

import { html, type Markup } from '../../html/markup.ts';
import { kindWords } from '../../open/kind-words.ts';
import { age, laneOf, type StateWord, stateOf, statePhrase } from '../../queue/job-words.ts';
import type { FoundJob, QueueSnapshot } from '../../queue/snapshot.ts';
import { troublesOf } from '../../queue/troubles.ts';
import { counted, duration, laneName } from '../../queue/words.ts';
import { type Filter, type Page, queryOf, STATES } from '../filter.ts';
import type { Links, Seen, ServedLinks } from '../seen.ts';
import { wideTable, withCode } from './page.ts';

/** A job as a row shows it. */
export type JobRow = { readonly job: FoundJob; readonly params: string };

/** `unsearched`: jobs that were not opened to look for the text. */
export type JobPage = Page<JobRow> & { readonly unsearched: number };

const MOST_LANES = 20;
const FIRST: Filter = { state: undefined, lane: '', text: '', page: 1 };

/** How it is, whichever of its jobs are shown. */
export function queueStanding({ slug, snapshot }: Seen, links: Links): Markup {
  const troubles = troublesOf(snapshot);
  return html`<p>${kindWords(snapshot)}${snapshot.paused ? html`; <strong class="paused">paused: no job starts</strong>` : undefined}.</p>
${troubles.length === 0 ? undefined : html`<ul class="trouble">${troubles.map(({ sentence }) => html`<li>${withCode(sentence)}</li>`)}</ul>`}
${snapshot.alone === undefined ? undefined : html`<p>Process ${snapshot.alone.pid} on this machine works it alone.</p>`}
${workersTable(snapshot)}
${lanesTable(slug, snapshot, links)}`;
}

/** Links to the jobs of each state that there are. */
export function stateLinks({ slug, snapshot }: Seen, filter: Filter, links: ServedLinks): Markup {
  const { counts } = snapshot;
  const numbers: Partial<Record<StateWord, number>> = {
    ...counts,
    held: counts.held - counts.lanesFailed,
    failed: counts.failed + counts.lanesFailed,
  };
  const all = counts.waiting + counts.running + counts.failed + counts.unreadable;
  const item = (state: StateWord | undefined, words: string, count: number) =>
    html`<li><a href="${links.filtered(slug, queryOf({ ...filter, state, page: 1 }))}"${state === filter.state ? html` aria-current="true"` : undefined}><b class="${words}">${count}</b> ${words}</a></li>`;
  const items = STATES.filter((state) => (numbers[state] ?? 0) > 0 || state === filter.state);
  return html`<nav aria-label="Jobs by state"><ul class="states">${item(undefined, 'all', all)}${items.map((state) => item(state, state, numbers[state] ?? 0))}</ul></nav>`;
}

export function filterForm(slug: string, { state, lane, text }: Filter, links: ServedLinks): Markup {
  return html`<form action="${links.queue(slug)}" role="search">
${state === undefined ? undefined : html`<input type="hidden" name="state" value="${state}">`}
<label>Text <input name="text" value="${text}" placeholder="any word, or #17"></label>
<label>Lane <input name="lane" value="${lane}"></label>
<button>Find</button>${text === '' && lane === '' && state === undefined ? undefined : html` <a href="${links.queue(slug)}">All jobs</a>`}
</form>`;
}

export function jobsTable(
  { slug, snapshot }: Seen,
  { rows, first, count, unsearched }: JobPage,
  links: Links,
): Markup {
  const rest =
    unsearched === 0
      ? undefined
      : html`<p class="quiet">In the parameters of ${counted(unsearched, 'more job')} was not looked: choose a state or a lane.</p>`;
  if (rows.length === 0) return html`<p>There are no such jobs.</p>${rest}`;
  const caption =
    rows.length === count
      ? `${count} jobs`
      : `Jobs ${first} to ${first + rows.length - 1} of ${count}, in the order in which they start`;
  const table = wideTable(
    'Jobs',
    html`<table>
<caption>${count === 1 ? '1 job' : caption}</caption>
<thead><tr><th scope="col">Job</th><th scope="col">State</th><th scope="col">Lane</th><th scope="col" class="number extra">Number</th><th scope="col" class="number extra">Priority</th><th scope="col" class="number">Age</th><th scope="col" class="number extra">Starts</th><th scope="col">Parameters</th></tr></thead>
<tbody>
${rows.map((row) => jobRow(slug, row, snapshot, links))}
</tbody>
</table>`,
  );
  return html`${table}${rest}`;
}

function jobRow(slug: string, { job, params }: JobRow, { takenMs }: QueueSnapshot, links: Links): Markup {
  const { id, seq, lane, priority, addedMs, attempts } = job;
  const href = links.job?.(slug, id);
  const shown = id.length > LONGEST_ID ? `${id.slice(0, LONGEST_ID)}…` : id;
  return html`<tr>
<th scope="row" class="id">${href === undefined ? shown : html`<a href="${href}">${shown}</a>`}</th>
<td class="${stateOf(job)}">${statePhrase(job, takenMs)}</td>
<td>${laneOf(job)}</td>
<td class="number extra">${lane === undefined ? '' : seq}</td>
<td class="number extra">${priority}</td>
<td class="number">${addedMs === undefined ? '' : age(takenMs - addedMs)}</td>
<td class="number extra">${attempts}</td>
<td class="words">${params}</td>
</tr>
`;
}

const LONGEST_ID = 40;

export function pager(
  slug: string,
  filter: Filter,
  { page, pages }: Page<unknown>,
  links: ServedLinks,
): Markup | undefined {
  if (pages === 1) return undefined;
  const to = (number: number, words: string, rel: string) =>
    html`<a href="${links.filtered(slug, queryOf({ ...filter, page: number }))}" rel="${rel}">${words}</a>`;
  return html`<nav class="pages" aria-label="Pages">
${page > 1 ? html`${to(1, 'First', 'start')} ${to(page - 1, 'Previous', 'prev')}` : undefined}
<span aria-current="page">Page ${page} of ${pages}</span>
${page < pages ? html`${to(page + 1, 'Next', 'next')} ${to(pages, 'Last', 'last')}` : undefined}
</nav>`;
}

function workersTable({ workers, running, takenMs }: QueueSnapshot): Markup | undefined {
  if (workers.length === 0) return undefined;
  const since = (ms: number | undefined) => (ms === undefined ? '' : duration(takenMs - ms));
  const rows = workers.map(
    ({
      name,
      life,
      host,
      pid,
      startedMs,
      beatMs,
    }) => html`<tr><td class="${life}">${life}</td><th scope="row" class="words">${host ?? name}</th><td class="number">${pid}</td><td class="number">${since(startedMs)}</td><td class="number">${since(beatMs)}</td><td class="number">${running.filter((job) => job.worker.name === name).length}</td></tr>
`,
  );
  return wideTable(
    'Workers',
    html`<table><caption>Workers</caption><thead><tr><th scope="col">Life</th><th scope="col">Host</th><th scope="col" class="number">Process</th><th scope="col" class="number">For</th><th scope="col" class="number">Heard</th><th scope="col" class="number">Jobs</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

/** Those that are stopped come first. */
function lanesTable(slug: string, { lanes }: QueueSnapshot, links: Links): Markup | undefined {
  const notable = lanes
    .filter(({ waiting, running, missing }) => waiting > 0 || running > 0 || missing !== undefined)
    .sort((a, b) => Number(b.missing !== undefined) - Number(a.missing !== undefined));
  if (notable.length === 0 || notable.every(({ lane }) => lane === '')) return undefined;
  const rows = notable.slice(0, MOST_LANES).map(({ lane, next, waiting, running, missing }) => {
    const name = lane === '' ? laneName(lane) : laneLink(slug, lane, links);
    const standing = running > 0 ? 'running' : missing === undefined ? '' : `gap at ${missing}`;
    return html`<tr><th scope="row" class="words">${name}</th><td class="number">${next}</td><td class="number">${waiting}</td><td class="${running > 0 ? 'running' : 'gap'}">${standing}</td></tr>
`;
  });
  const more = notable.length - MOST_LANES;
  return html`${wideTable('Lanes', html`<table><caption>Lanes</caption><thead><tr><th scope="col">Lane</th><th scope="col" class="number">At</th><th scope="col" class="number">Waiting</th><th scope="col">Standing</th></tr></thead><tbody>${rows}</tbody></table>`)}
${more > 0 ? html`<p class="quiet">and ${more} more lanes</p>` : undefined}`;
}

function laneLink(slug: string, lane: string, links: Links): Markup | string {
  const href = links.filtered?.(slug, queryOf({ ...FIRST, lane }));
  return href === undefined ? lane : html`<a href="${href}">${lane}</a>`;
}

/** What can be pressed: forms, which work without JavaScript. */

import { html, type Markup } from '../../html/markup.ts';
import { layoutNamed } from '../../open/layouts.ts';
import type { Capability } from '../../queue/layout.ts';
import type { FoundJob } from '../../queue/snapshot.ts';
import { counted } from '../../queue/words.ts';
import { JOB_ACTIONS, jobActionNamed, MOST_RETRIED, USUALLY_RETRIED } from '../actions.ts';
import type { Seen, ServedLinks } from '../seen.ts';

/** Stands in each form, and proves that it is ours. */
export type Code = { readonly field: string; readonly value: string };

function codeInput({ field, value }: Code): Markup {
  return html`<input type="hidden" name="${field}" value="${value}">`;
}

function button(action: string, label: string, code: Code): Markup {
  return html`<form method="post" action="${action}">${codeInput(code)}<button>${label}</button></form>`;
}

/** For one job. What takes it away is a page of its own. */
export function jobButtons({ slug, snapshot }: Seen, job: FoundJob, code: Code, links: ServedLinks): Markup {
  const { capabilities } = layoutNamed(snapshot.layout);
  const here = links.job(slug, job.id);
  const offered = JOB_ACTIONS.filter(({ isOffered }) => isOffered(job, capabilities));
  const items = offered.map(({ name, label }) =>
    name === 'delete'
      ? html`<a class="button" href="${here}/delete">${label}</a>`
      : button(`${here}/${name}`, label, code),
  );
  return html`<div class="actions" role="group" aria-label="Actions">${items}</div>`;
}

/** For the whole queue. */
export function queueButtons({ slug, snapshot }: Seen, code: Code, links: ServedLinks): Markup {
  const { capabilities } = layoutNamed(snapshot.layout);
  const here = links.queue(slug);
  const { counts, paused } = snapshot;
  const pause = paused ? button(`${here}/resume`, 'Resume', code) : button(`${here}/pause`, 'Pause', code);
  const failed = counts.failed + counts.lanesFailed;
  return html`<div class="actions" role="group" aria-label="Actions">
${capabilities.pause.has ? pause : undefined}
<a class="button" href="${here}/add">Add a job…</a>
${failed > 0 ? html`<a class="button" href="${here}/retry-failed">Run failed jobs again…</a>` : undefined}
</div>`;
}

export function deleteForm({ slug }: Seen, { id }: FoundJob, code: Code, links: ServedLinks): Markup {
  const here = links.job(slug, id);
  return html`<p>The job is removed with what its runs have said. It cannot be brought back.</p>
<div class="actions">${button(`${here}/delete`, 'Delete it', code)}<a class="button" href="${here}">Leave it</a></div>`;
}

export function retryForm({ slug, snapshot }: Seen, code: Code, links: ServedLinks): Markup {
  const here = links.queue(slug);
  const failed = snapshot.counts.failed + snapshot.counts.lanesFailed;
  const usual = Math.min(USUALLY_RETRIED, Math.max(1, failed));
  return html`<p>${counted(failed, 'job')} failed. They are run again as if they had never been started, the oldest first.</p>
<form method="post" action="${here}/retry-failed">${codeInput(code)}
<label>At most <input name="limit" type="number" min="1" max="${MOST_RETRIED}" value="${usual}" required></label>
<button>Run again</button> <a class="button" href="${here}">Leave them</a>
</form>`;
}

type Field = { readonly name: string; readonly needs: Capability; readonly input: Markup };

/** What a new job may bring, where its layout has a place for it. */
const FIELDS: readonly Field[] = [
  {
    name: 'params',
    needs: 'params',
    input: html`<label>Parameters, one a line <textarea name="params" rows="3"></textarea></label>`,
  },
  { name: 'lane', needs: 'lanes', input: html`<label>Lane <input name="lane"></label>` },
  {
    name: 'priority',
    needs: 'priority',
    input: html`<label>Priority, 0 first <input name="priority" type="number" min="0" max="99" placeholder="50"></label>`,
  },
  {
    name: 'name',
    needs: 'names',
    input: html`<label>Name, for adding it only once <input name="name"></label>`,
  },
];

/** The file comes last: what is said of the job is known before. */
export function addForm({ slug, snapshot }: Seen, code: Code, links: ServedLinks, fileBytes: number): Markup {
  const { capabilities } = layoutNamed(snapshot.layout);
  const here = links.queue(slug);
  const fields = FIELDS.filter(({ needs }) => capabilities[needs].has).map(({ input }) => input);
  return html`<form class="tall" method="post" enctype="multipart/form-data" action="${here}/add">${codeInput(code)}
${fields}
<label>Payload, at most ${sizeWords(fileBytes)}; none: an empty one <input name="payload" type="file"></label>
<div class="actions"><button>Add the job</button><a class="button" href="${here}">Leave it</a></div>
</form>`;
}

const MEBIBYTE = 1024 * 1024;

function sizeWords(bytes: number): string {
  return bytes % MEBIBYTE === 0 ? `${bytes / MEBIBYTE} MiB` : counted(bytes, 'byte');
}

/** The fields of a new job that its layout has no place for. */
export function fieldsWithoutPlace(
  { snapshot }: Seen,
  fields: ReadonlyMap<string, string>,
): readonly string[] {
  const { capabilities } = layoutNamed(snapshot.layout);
  return FIELDS.filter(({ name, needs }) => (fields.get(name) ?? '') !== '' && !capabilities[needs].has).map(
    ({ name }) => name,
  );
}

/** What has just been done, of which the address says one word; nothing for a word that is none of ours. */
export function noticeOf(query: URLSearchParams): Markup | undefined {
  const sentence = sentenceFor(query.get('said') ?? '', query);
  return sentence === undefined ? undefined : html`<p class="notice" role="status">${sentence}</p>`;
}

const QUEUE_NOTICES: ReadonlyMap<string, string> = new Map([
  ['paused', 'The queue is paused: no job starts.'],
  ['resumed', 'Jobs may start again.'],
  ['deleted', 'The job is deleted.'],
  ['added', 'The job is added.'],
  ['duplicate', 'A job of that name was added before, so nothing was added: this is it.'],
  ['unchanged', 'It was so already.'],
]);

function sentenceFor(word: string, query: URLSearchParams): string | undefined {
  if (word === 'retried') {
    const refused = numberIn(query, 'refused');
    const rest = refused === 0 ? '' : `; of ${counted(refused, 'other')} the page of the job says why not`;
    return `${counted(numberIn(query, 'done'), 'failed job')} to be run again${rest}.`;
  }
  const action = jobActionNamed(word);
  return action === undefined ? QUEUE_NOTICES.get(word) : `The job ${action.past}.`;
}

function numberIn(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) : 0;
}

/**
 * The status as HTML: a page of all queues, and one for each unit of work, to which it leads.
 *
 * All text of others is escaped where it is put in, and the pages forbid scripts and everything from elsewhere, so that
 * even a mistake of ours could not make a job's words do anything in somebody's browser.
 */

import { ansiToHtml } from '../html/ansi.ts';
import { escapeHtml } from '../html/markup.ts';
import { decodeBytes } from '../os/bytes.ts';
import { formatUtc, fromMs } from '../os/calendar.ts';
import { printable } from '../os/printable.ts';
import { statusKind } from '../uow/status.ts';
import { formatStamp } from '../uow/text.ts';
import type { Picture, ShownQueue, ShownUnit } from './picture.ts';
import { countText, STATE_WORDS, wordsOf } from './status-words.ts';
import { STYLE } from './style.ts';

const REFRESH_SECONDS = 15;

function show(text: string): string {
  return escapeHtml(printable(text));
}

function pageHtml(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta http-equiv="refresh" content="${REFRESH_SECONDS}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${show(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** `pages`: the directory of the units' pages, as it is reached from this one. */
export function indexHtml(picture: Picture, pages: string): string {
  const { root, takenMs, state, queues } = picture;
  const body = `<header>
<h1>${show(root)}</h1>
<p class="state ${state}">${STATE_WORDS[state]}</p>
<p class="time">${formatUtc(fromMs(takenMs))}</p>
</header>
<main>
${inReadingOrder(queues)
  .map((queue) => queueHtml(queue, pages))
  .join('\n')}
</main>`;
  return pageHtml(`${root}: simple-job-q`, body);
}

/** What runs, what waits, what went wrong, and only then all that is well. */
const READING_ORDER = ['currently-executing', 'priority-q', 'wait-q', 'fail-q', 'error-q', 'done-q'];

function inReadingOrder(queues: readonly ShownQueue[]): ShownQueue[] {
  const rank = ({ place }: ShownQueue) => READING_ORDER.indexOf(place);
  return [...queues].sort((a, b) => rank(a) - rank(b));
}

function queueHtml(queue: ShownQueue, pages: string): string {
  const title = `<h2 id="${queue.place}">${queue.place} <span class="count">${countText(queue)}</span></h2>`;
  if (queue.units.length === 0) return `<section class="empty">${title}</section>`;
  const rows = queue.units.map(
    (unit) => `<tr>
<td class="name"><a href="${escapeHtml(encodeURI(pages))}/${unit.page}">${show(unit.name)}</a></td>
<td>${show(unit.unit?.items.get('JOB') ?? '')}</td>
<td class="time">${enqueued(unit)}</td>
<td class="${classOf(unit)}">${show(wordsOf(unit))}</td>
</tr>`,
  );
  return `<section>${title}
<table>
<thead><tr><th>unit of work</th><th>job</th><th>enqueued</th><th>status</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</section>`;
}

function enqueued({ unit }: ShownUnit): string {
  return unit?.stamp === undefined ? '' : formatUtc({ seconds: BigInt(unit.stamp.seconds), nanos: 0 });
}

function classOf({ unit }: ShownUnit): string {
  return unit === undefined ? 'fail' : statusKind(unit.status);
}

/** `index`: the page of all queues, as it is reached from this one. */
export function unitHtml(
  shown: ShownUnit,
  log: { readonly bytes: Uint8Array; readonly before: number } | undefined,
  index: string,
): string {
  const { name, place, unit, path } = shown;
  const facts: (readonly [string, string])[] = [
    ['place', place],
    ['file', path],
    ...(unit?.stamp === undefined
      ? []
      : [['enqueued', `${enqueued(shown)} (${formatStamp(unit.stamp)})`] as const]),
  ];
  const items = [...(unit?.items ?? [])];
  const rows = (pairs: readonly (readonly [string, string])[]) =>
    pairs.map(([key, value]) => `<tr><th>${show(key)}</th><td>${show(value)}</td></tr>`).join('\n');
  const body = `<header>
<p><a href="${escapeHtml(encodeURI(index))}">all queues</a></p>
<h1>${show(name)}</h1>
<p class="${classOf(shown)} status">${show(wordsOf(shown)) || 'it waits'}</p>
</header>
<main>
<table class="facts">
${rows(facts)}
</table>
<h2>UNIT OF WORK</h2>
<table class="facts">
${rows(items)}
</table>
<h2>JOB LOG</h2>
${logHtml(log)}
</main>`;
  return pageHtml(`${name}: ${place}`, body);
}

function logHtml(log: { readonly bytes: Uint8Array; readonly before: number } | undefined): string {
  if (log === undefined || log.bytes.length === 0) return '<p class="none">nothing yet</p>';
  const left =
    log.before === 0 ? '' : `<p class="none">${log.before} bytes before this are in the file</p>\n`;
  return `${left}<pre class="log">${ansiToHtml(decodeBytes(log.bytes))}</pre>`;
}

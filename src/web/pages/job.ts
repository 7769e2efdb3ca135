/** One job: why it does not run, what it brings, its runs and what they said. */

import { ansiToHtml } from '../../html/ansi.ts';
import { html, type Markup, trusted } from '../../html/markup.ts';
import { runSentence, stateOf } from '../../queue/job-words.ts';
import { counted } from '../../queue/words.ts';
import type { JobSight, Output } from '../job-sight.ts';
import { hexOf, type Preview, textOf } from '../payload.ts';
import { withCode } from './page.ts';

/** `here`: the page itself, to which views of the payload are links. */
export function jobBody(sight: JobSight, wantsHex: boolean, here: string): Markup {
  const { job, facts, sentence, advice } = sight;
  return html`<p class="why"><strong class="${stateOf(job)}">${stateOf(job)}</strong>: ${sentence}</p>
${advice === undefined ? undefined : html`<p>What to do: ${withCode(advice)}.</p>`}
<h2>Facts</h2>
<dl class="facts">${facts.map(([title, value]) => html`<dt>${title}</dt><dd>${value}</dd>`)}</dl>
${runsPart(sight)}
<h2 id="payload">Payload</h2>
${'problem' in sight.payload ? html`<p class="quiet">It cannot be shown: ${sight.payload.problem}</p>` : payloadPart(sight.payload, wantsHex, here)}`;
}

function runsPart({ runs, running, outputs }: JobSight): Markup | undefined {
  if (runs.length === 0 && running === undefined && outputs.length === 0) return undefined;
  const attempts = new Set(runs.map(({ attempt }) => attempt));
  const of = (attempt: number | undefined) =>
    outputs.filter((output) => output.attempt === attempt).map(outputPart);
  const ended = runs.map((run, index) => {
    // A worker that died and one that failed have both begun that attempt: the output stands with the last.
    const isLast = runs.findLastIndex(({ attempt }) => attempt === run.attempt) === index;
    const said = isLast && run.attempt !== running ? of(run.attempt) : undefined;
    return html`<p>${runSentence(run)}</p>${said}`;
  });
  const rest = running === undefined || attempts.has(running) ? undefined : of(running);
  return html`<h2>Runs</h2>
${ended}
${running === undefined ? undefined : html`<p>Attempt ${running} is <span class="running">running</span>.</p>${rest ?? of(running)}`}
${of(undefined)}`;
}

function outputPart(output: Output): Markup {
  const { attempt, kind } = output;
  const name = attempt === undefined ? kind : `${kind} of attempt ${attempt}`;
  if ('problem' in output) return html`<p class="quiet">${name} cannot be shown: ${output.problem}</p>`;
  const { text, before } = output;
  return html`<p class="quiet">${name}${before === 0 ? undefined : `; ${counted(before, 'byte')} before this are in its file`}</p>
<pre class="log" tabindex="0" role="region" aria-label="${name}">${trusted(ansiToHtml(text))}</pre>`;
}

function payloadPart(preview: Preview, wantsHex: boolean, here: string): Markup {
  const { bytes, isCut } = preview;
  if (bytes.length === 0) return html`<p class="quiet">It is empty.</p>`;
  const text = wantsHex ? undefined : textOf(preview);
  const cut = isCut ? `, the first ${counted(bytes.length, 'byte')}` : '';
  const other =
    text === undefined
      ? html`in hex${cut}${wantsHex ? html`; <a href="${here}#payload">as text</a>` : ', for it is no text'}`
      : html`as text${cut}; <a href="${here}?payload=hex#payload">in hex</a>`;
  return html`<p class="quiet">${other}</p>
<pre class="payload${text === undefined ? ' hex' : ''}" tabindex="0" role="region" aria-label="Payload">${text === undefined ? hexOf(bytes) : linesOf(text)}</pre>`;
}

/** Lines stay lines, and tabs tabs. */
function linesOf(text: string): Markup {
  const pieces = text.split(/([\n\t])/);
  return html`${pieces.map((piece) => (piece === '\n' || piece === '\t' ? trusted(piece) : html`${piece}`))}`;
}

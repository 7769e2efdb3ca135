/** Charts as pictures that the server draws (SVG), each with a table that says the same. */

import { html, type Markup } from '../../html/markup.ts';
import { counted, duration } from '../../queue/words.ts';
import { type History, type Span, type Spread, spanName } from '../run-history.ts';
import { wideTable } from './page.ts';

const WIDTH = 720;
const HEIGHT = 180;
/** For the words at its left, and below. */
const LEFT = 64;
const BOTTOM = 20;
const TOP = 8;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;

/** `runs`: of so many jobs the records were read. */
export function chartsBody(history: History | undefined, runs: number): Markup {
  if (history === undefined) {
    return html`<p>There are no records of runs here. Of jobs that succeed they stay where jobs are kept: <code>intray work --keep</code>.</p>`;
  }
  const each = duration(history.spanMs);
  return html`<p class="quiet">From the records of the newest ${counted(runs, 'job')} that were started and are still here; of jobs that succeed they stay where jobs are kept. Each bar and point is ${each}; times are UTC.</p>
<h2>Runs that ended</h2>
${barChart(history)}
<h2>Wait before the first start</h2>
${lineChart(history, 'Wait before the first start', ({ waited }) => waited)}
<h2>Run time</h2>
${lineChart(history, 'Run time', ({ ran }) => ran)}
<h2>The same in numbers</h2>
${numbersTable(history)}`;
}

function barChart(history: History): Markup {
  const { spans } = history;
  const most = Math.max(1, ...spans.map(({ succeeded, failed }) => succeeded + failed));
  const step = (WIDTH - LEFT) / spans.length;
  const heightOf = (count: number) => (count / most) * PLOT_HEIGHT;
  const bars = spans.map((span, index) => {
    const { succeeded, failed } = span;
    if (succeeded + failed === 0) return undefined;
    const [well, bad] = [heightOf(succeeded), heightOf(failed)];
    const x = round(LEFT + index * step + step * 0.1);
    const width = round(step * 0.8);
    const title = `${spanName(history, span)}: ${succeeded} succeeded, ${failed} failed`;
    return html`<g><title>${title}</title><rect class="bar-well" x="${x}" y="${round(TOP + PLOT_HEIGHT - well)}" width="${width}" height="${round(well)}"/><rect class="bar-bad" x="${x}" y="${round(TOP + PLOT_HEIGHT - well - bad)}" width="${width}" height="${round(bad)}"/></g>`;
  });
  return picture('Runs that ended, by time', String(most), history, html`${bars}`, [
    ['bar-well', 'succeeded'],
    ['bar-bad', 'failed, or to be tried again'],
  ]);
}

function lineChart(history: History, name: string, of: (span: Span) => Spread | undefined): Markup {
  const { spans } = history;
  const spreads = spans.map(of);
  const mostMs = Math.max(1, ...spreads.map((spread) => spread?.p95 ?? 0));
  const step = (WIDTH - LEFT) / spans.length;
  const at = (index: number, ms: number) =>
    `${round(LEFT + (index + 0.5) * step)},${round(TOP + PLOT_HEIGHT * (1 - ms / mostMs))}`;
  const line = (key: keyof Spread, style: string) => {
    const points = spreads.flatMap((spread, index) => (spread === undefined ? [] : [at(index, spread[key])]));
    const dots = points.map((point) => {
      const [x = '', y = ''] = point.split(',');
      return html`<circle class="${style}" cx="${x}" cy="${y}" r="2.5"/>`;
    });
    return html`<polyline class="${style}" points="${points.join(' ')}"/>${dots}`;
  };
  const drawn = html`${line('p95', 'line-most')}${line('p50', 'line-half')}`;
  return picture(`${name}, by time`, timeWords(mostMs), history, drawn, [
    ['line-half', 'half took no longer'],
    ['line-most', '19 of 20 took no longer'],
  ]);
}

/** What is drawn, with its axes and what its colours mean. */
function picture(
  name: string,
  most: string,
  history: History,
  drawn: Markup,
  legend: readonly (readonly [style: string, meaning: string])[],
): Markup {
  const { spans } = history;
  const [first, last] = [spans[0], spans.at(-1)].map((span) =>
    span === undefined ? '' : spanName(history, span),
  );
  const floor = TOP + PLOT_HEIGHT;
  const keys = legend.map(([style, meaning]) => html`<li><span class="key ${style}"></span>${meaning}</li>`);
  return html`<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${name}; the table below has the numbers">
<path class="axis" d="M${LEFT} ${TOP}V${floor}H${WIDTH}"/>
<text x="${LEFT - 6}" y="${TOP + 10}" text-anchor="end">${most}</text><text x="${LEFT - 6}" y="${floor}" text-anchor="end">0</text>
<text x="${LEFT}" y="${HEIGHT - 4}">${first}</text><text x="${WIDTH}" y="${HEIGHT - 4}" text-anchor="end">${last}</text>
${drawn}
</svg><figcaption><ul class="keys">${keys}</ul></figcaption></figure>`;
}

function numbersTable(history: History): Markup {
  const rows = history.spans
    .filter(({ succeeded, failed }) => succeeded + failed > 0)
    .map((span) => {
      const { succeeded, failed, waited, ran } = span;
      return html`<tr><th scope="row">${spanName(history, span)}</th><td class="number">${succeeded}</td><td class="number">${failed}</td>${spreadCells(waited)}${spreadCells(ran)}</tr>
`;
    });
  return wideTable(
    'Runs in numbers',
    html`<table><caption>Runs in numbers</caption><thead><tr><th scope="col">From</th><th scope="col" class="number">Succeeded</th><th scope="col" class="number">Failed</th><th scope="col" class="number">Wait, half</th><th scope="col" class="number">Wait, 95 %</th><th scope="col" class="number">Run, half</th><th scope="col" class="number">Run, 95 %</th></tr></thead><tbody>
${rows}
</tbody></table>`,
  );
}

function spreadCells(spread: Spread | undefined): Markup {
  const words = (ms: number | undefined) => (ms === undefined ? '' : timeWords(ms));
  return html`<td class="number">${words(spread?.p50)}</td><td class="number">${words(spread?.p95)}</td>`;
}

function timeWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms);
}

/** Of a coordinate, as much as can be seen. */
function round(value: number): string {
  return value.toFixed(1);
}

/** All queues, a row each. */

import { html, type Markup } from '../../html/markup.ts';
import { age } from '../../queue/job-words.ts';
import type { QueueSnapshot } from '../../queue/snapshot.ts';
import { troublesOf } from '../../queue/troubles.ts';
import { counted } from '../../queue/words.ts';
import type { Links, Seen, SeenQueue } from '../seen.ts';
import { wideTable } from './page.ts';

export function overviewBody(queues: readonly SeenQueue[], links: Links): Markup {
  if (queues.length === 0) return html`<p>There are no queues here now.</p>`;
  const rows = queues.map((queue) => (queue.kind === 'seen' ? seenRow(queue, links) : unseenRow(queue)));
  return wideTable(
    'Queues',
    html`<table>
<caption>${counted(queues.length, 'queue')}</caption>
<thead><tr><th scope="col">Queue</th><th scope="col" class="number">Waiting</th><th scope="col" class="number extra">Delayed</th><th scope="col" class="number">Running</th><th scope="col" class="number">Failed</th><th scope="col" class="number">Oldest</th><th scope="col" class="number extra">A minute</th><th scope="col" class="number extra">Lanes</th><th scope="col" class="number">Workers</th><th scope="col" class="extra">Trouble</th></tr></thead>
<tbody>
${rows}
</tbody>
</table>`,
  );
}

function seenRow({ slug, location, snapshot, rate }: Seen, links: Links): Markup {
  const { counts, oldestMs, takenMs, lanes } = snapshot;
  const failed = counts.failed + counts.lanesFailed;
  const troubles = troubleWords(snapshot);
  return html`<tr>
<th scope="row" class="words"><a id="queue-${slug}" href="${links.queue(slug)}">${location}</a>${troubles === '' ? undefined : html`<span class="narrow held">${troubles}</span>`}</th>
<td class="number">${counts.waiting}</td>
<td class="number extra">${counts.delayed}</td>
<td class="number">${counts.running}</td>
<td class="number${failed > 0 ? ' failed' : ''}">${failed}</td>
<td class="number">${oldestMs === undefined ? '' : age(takenMs - oldestMs)}</td>
<td class="number extra">${rate === undefined ? '' : (rate * 60).toFixed(rate < 1 ? 1 : 0)}</td>
<td class="number extra">${lanes.length}</td>
<td class="number">${workersAlive(snapshot)}</td>
<td class="words extra">${troubles}</td>
</tr>
`;
}

function unseenRow({ location, problem }: SeenQueue & { readonly kind: 'unseen' }): Markup {
  return html`<tr><th scope="row" class="words">${location}</th><td colspan="9" class="words failed">${problem}</td></tr>
`;
}

export function workersAlive({ workers, alone }: QueueSnapshot): number {
  return workers.filter(({ life }) => life === 'alive').length + (alone === undefined ? 0 : 1);
}

function troubleWords(snapshot: QueueSnapshot): string {
  const words = troublesOf(snapshot).map(({ short }) => short);
  return [...new Set([...(snapshot.paused ? ['paused'] : []), ...words])].join(', ');
}

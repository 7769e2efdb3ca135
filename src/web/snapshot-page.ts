/** All queues on one page that stands alone: a file for any web server, or to be sent by mail. */

import { html } from '../html/markup.ts';
import { formatMs } from '../os/calendar.ts';
import { readFilter } from './filter.ts';
import { jobPage } from './jobs.ts';
import { overviewBody } from './pages/overview.ts';
import { filePage } from './pages/page.ts';
import { jobsTable, queueStanding } from './pages/queue.ts';
import type { Links, SeenQueue } from './seen.ts';

/** Of each queue, so many of its jobs. */
const JOBS = 200;

const WITHIN: Links = { overview: '#main', queue: (slug) => `#${slug}` };

export async function snapshotPage(queues: readonly SeenQueue[], takenMs: number): Promise<string> {
  const sections = [];
  for (const queue of queues) {
    if (queue.kind === 'unseen') continue;
    const jobs = await jobPage(queue.keeper, queue.snapshot, readFilter(''), JOBS);
    sections.push(html`<section aria-labelledby="${queue.slug}">
<h2 id="${queue.slug}">${queue.location}</h2>
${queueStanding(queue, WITHIN)}
<h3>Jobs</h3>
${jobsTable(queue, jobs, WITHIN)}
</section>
`);
  }
  return filePage({
    title: 'Queues',
    trail: [],
    heading: `Queues at ${formatMs(takenMs).slice(0, 19)}Z`,
    body: html`${overviewBody(queues, WITHIN)}${sections}`,
    takenMs,
  });
}

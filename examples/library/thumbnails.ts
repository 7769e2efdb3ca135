/**
 * A queue between two parts of one program: whoever takes a picture adds it, a worker makes the thumbnails.
 *
 *     npx tsx examples/library/thumbnails.ts     or     bun examples/library/thumbnails.ts
 */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQueue, work } from 'intray';

const dir = await mkdtemp(join(tmpdir(), 'thumbnails-'));
const queue = await createQueue(join(dir, 'queue'));

// The sender: the picture is the payload, what to do with it are variables.
for (const name of ['beach', 'mountain', 'city']) {
  const picture = new Uint8Array(100_000).fill(name.length);
  const { seq } = await queue.add({ env: { NAME: name, WIDTH: '128' }, payload: picture });
  console.log(`added ${name} as job ${seq}`);
}

// The worker: runs in order; a throw would leave the job in the queue for the next run.
const report = await work(queue, async (job, payload) => {
  const variables = new Map(job.work.kind === 'command' ? job.work.env : []);
  let sum = 0;
  for await (const chunk of payload) for (const byte of chunk) sum += byte;
  await writeFile(join(dir, `${variables.get('NAME')}.txt`), `${sum} at width ${variables.get('WIDTH')}\n`);
});

console.log(`${report.succeeded} done:`, (await readdir(dir)).filter((name) => name.endsWith('.txt')).sort());
await rm(dir, { recursive: true });

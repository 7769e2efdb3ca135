/**
 * A queue whose jobs are done by a command: the payload is its standard input, and what came with the job is in its
 * arguments and its environment. Ctrl-C ends the command and leaves its job for the next time.
 *
 *     bun examples/run-commands.ts          or, from Node 22.18:  node examples/run-commands.ts
 */

import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQueue, work } from 'intray';

const directory = await mkdtemp(join(tmpdir(), 'intray-example-'));
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());
try {
  const queue = await createQueue(join(directory, 'queue'));

  // A stream is written as it comes, however long it is.
  await queue.add({ payload: createReadStream(import.meta.filename), env: { TITLE: 'this file' } });
  await queue.add({ payload: 'one\ntwo\nthree\n', env: { TITLE: 'three lines' } });
  await queue.add({ payload: 'nothing to count', params: ['too slow'], env: { TITLE: 'a long wait' } });

  const script = `
    [ -z "$1" ] || sleep 60
    first=$(sed -n 1p)
    echo "job $FSPL_SEQ, $FSPL_SET_TITLE: begins with $first"`;
  const report = await work(
    queue,
    { program: 'sh', args: ['-c', script, 'sh'], allowJobParams: true, timeoutMs: 500 },
    { onFailure: 'leave', signal: stopping.signal },
  );
  console.log(`${report.succeeded} succeeded, ${report.failed} failed`);
} finally {
  await rm(directory, { recursive: true });
}

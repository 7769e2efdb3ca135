/**
 * A program that works a queue, to be killed: `bun processor.ts QUEUE SCRIPT` runs SCRIPT with /bin/sh for each job
 * and exits with 0 when the queue is empty.
 */

import { openQueue, work } from '../../src/index.ts';

const [path = '', script = ''] = process.argv.slice(2);
const report = await work(await openQueue(path), { program: '/bin/sh', args: ['-c', script] });
process.exitCode = report.ended.kind === 'idle' && report.ended.reason === 'empty' ? 0 : 1;

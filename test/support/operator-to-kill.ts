/**
 * An operator that is killed: `bun operator-to-kill.ts CALL QUEUE WHAT JOB [TARGET]` does WHAT and kills itself before the
 * CALLth change that it would make on disk; when there are fewer it exits with 0.
 */

import { realMachine } from '../../src/os/real/index.ts';
import { moveJob, openTarget } from '../../src/spool/home/operating/move.ts';
import { Operator } from '../../src/spool/home/operating/operator.ts';
import { removeJob, retryJob } from '../../src/spool/home/operating/single-jobs.ts';
import { skipLane } from '../../src/spool/home/operating/skip.ts';
import { findJob } from './home-queues.ts';
import { interceptFiles } from './intercepted-files.ts';
import { machineWithFiles } from './machines.ts';

const [call = '', queue = '', what = '', job = '', target = ''] = process.argv.slice(2);
const CHANGES = ['rename', 'unlink', 'link', 'mkdir', 'rmdir', 'write', 'writeAt', 'fsync'];
let left = Number(call);

const files = interceptFiles(realMachine.files, ({ name, to }) => {
  const other = process.env.OTHER_FILE_SYSTEM === '1' && name === 'rename' && to?.startsWith(target) === true;
  // As rename(2) would refuse it; the rename of a copy within the target is not refused.
  if (other && refused++ === 0) throw Object.assign(new Error('EXDEV'), { code: 'EXDEV', syscall: 'rename' });
  if (!CHANGES.includes(name)) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
let refused = 0;

const operator = new Operator(machineWithFiles(files), queue);
if (what === 'skip') await skipLane(operator, job);
else {
  const found = await findJob(queue, job);
  if (what === 'remove') await removeJob(operator, found);
  else if (what === 'retry') await retryJob(operator, found);
  else await moveJob(operator, found, await openTarget(operator, target));
}
await operator.close();

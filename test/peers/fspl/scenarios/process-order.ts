// queue-process: which jobs are run, in which order, and what is left afterwards.
import { packet } from '../packet.ts';
import type { Scenario } from '../scenario.ts';

const TELL_JOB = `sh -- -c 'echo "ran $FSPL_SEQ $FSPL_JOB_FILENAME"'`;

const at = (seq: bigint | number, seconds: bigint | number, nanoseconds = 0) =>
  packet({ seq, seconds, nanoseconds });

/** Jobs 1 and 2 are commands, 3 fails by itself, 4 does nothing. */
const fourJobs = {
  'four/fspl-a.fspl': packet({ seq: 1, seconds: 10, payload: 'one' }),
  'four/fspl-b.fspl': packet({ seq: 2, seconds: 20, payload: 'two' }),
  'four/fspl-c.fspl': packet({ seq: 3, seconds: 30, kind: 'Fail' }),
  'four/fspl-d.fspl': packet({ seq: 4, seconds: 40, kind: 'NOP' }),
};

/** What is left after a run over the four jobs, for a command that works and one that does not. */
const onError = (onErrorValue: string): Scenario => ({
  name: `on-error ${onErrorValue}: both orders, with and without --never-delete`,
  // Of a Fail job that is stepped over, the real one says nothing.
  ...(onErrorValue === 'Retry' ? {} : { warns: 'that the job failed' }),
  files: fourJobs,
  script: `
for order in sequence timestamp; do for keep in '' --never-delete; do for command in true false; do
  rm -rf q; fspl queue-init -q q; cp four/* q/jobs
  echo "--- $order $keep $command"
  tell fspl queue-process -q q --on-error ${onErrorValue} --order-by $order $keep $command
  left; nextseq
done; done; done; rm -rf q`,
});

export const processOrder: readonly Scenario[] = [
  ...['Retry', 'Delete', 'Leave'].map(onError),
  {
    name: 'on-error: Retry is the default',
    files: fourJobs,
    script: `fspl queue-init -q q; cp four/* q/jobs; tell fspl queue-process -q q false; left; nextseq`,
  },
  {
    name: 'on-error: a command that fails for one of the jobs only',
    files: fourJobs,
    script: `
for value in retry delete leave; do
  rm -rf q; fspl queue-init -q q; cp four/* q/jobs; rm q/jobs/fspl-c.fspl; cp four/fspl-d.fspl q/jobs
  tell fspl queue-process -q q --on-error $value sh -- -c 'echo "ran $FSPL_SEQ"; [ $FSPL_SEQ != 1 ]'
  left; nextseq
done`,
  },
  {
    name: 'on-error: with a limit of jobs',
    files: fourJobs,
    script: `
for value in retry delete leave; do
  rm -rf q; fspl queue-init -q q; cp four/* q/jobs
  tell fspl queue-process -q q --on-error $value -n 1 false; left; nextseq
  tell fspl queue-process -q q --on-error $value -n 2 false; left; nextseq
done`,
  },
  {
    name: 'order: by number, whatever the names, times and order of arrival',
    files: {
      'q/jobs/fspl-a.fspl': at(3, 10),
      'q/jobs/fspl-b.fspl': at(1, 30),
      'q/jobs/fspl-c.fspl': at(2, 20),
      'q/jobs/fspl-d.fspl': at(4, 5),
      'q/nextseq': '1\n',
      'q/nextseq.lock': '',
    },
    script: `tell fspl queue-process -q q ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'order: a gap ends the run',
    warns: 'which job is missing',
    files: { 'q/jobs/fspl-a.fspl': at(1, 10), 'q/jobs/fspl-c.fspl': at(3, 30), 'q/nextseq.lock': '' },
    script: `fspl queue-set-next -q q 1; tell fspl queue-process -q q ${TELL_JOB}; left; nextseq
tell fspl queue-process -q q ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'order: numbers that are past stay where they are',
    files: { 'q/jobs/fspl-a.fspl': at(1, 10), 'q/jobs/fspl-c.fspl': at(3, 30), 'q/nextseq.lock': '' },
    script: `fspl queue-set-next -q q 3; tell fspl queue-process -q q ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'order: from the largest number on to 0',
    files: {
      'q/jobs/fspl-a.fspl': at(18446744073709551615n, 10),
      'q/jobs/fspl-b.fspl': at(0, 10),
      'q/jobs/fspl-c.fspl': at(1, 10),
      'q/nextseq.lock': '',
    },
    script: `
fspl queue-set-next -q q 18446744073709551615
tell fspl queue-process -q q ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'order: large numbers are exact',
    files: {
      'q/jobs/fspl-a.fspl': at(9007199254740992n, 10),
      'q/jobs/fspl-b.fspl': at(9007199254740993n, 10),
      'q/jobs/fspl-c.fspl': at(9007199254740994n, 10),
      'q/nextseq.lock': '',
    },
    script: `
fspl queue-set-next -q q 9007199254740993
tell fspl queue-process -q q ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'order: one number twice is refused before anything is run',
    files: {
      'q/jobs/fspl-a.fspl': at(1, 10),
      'q/jobs/fspl-b.fspl': at(5, 20),
      'q/jobs/fspl-c.fspl': at(5, 30),
      'q/nextseq.lock': '',
    },
    script: `
fspl queue-set-next -q q 1
tell fspl queue-process -q q ${TELL_JOB}; tell fspl queue-process -q q -n 0 true; left; nextseq
tell fspl queue-process -q q --order-by Timestamp ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'order: by time, which leaves nextseq alone',
    files: {
      'q/jobs/fspl-a.fspl': at(9, 100, 6),
      'q/jobs/fspl-b.fspl': at(2, 300),
      'q/jobs/fspl-c.fspl': at(1, 100, 5),
      'q/jobs/fspl-d.fspl': at(7, -5, 999_999_999),
      'q/jobs/fspl-e.fspl': at(18446744073709551615n, 4_000_000_000),
      'q/jobs/fspl-f.fspl': at(3, -5, 0),
      'q/nextseq.lock': '',
    },
    script: `
fspl queue-set-next -q q 3
tell fspl queue-process -q q --order-by Timestamp -n 3 ${TELL_JOB}; left; nextseq
tell fspl queue-process -q q --order-by=timestamp ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'order: by time, jobs before nextseq are run too',
    files: { 'q/jobs/fspl-a.fspl': at(1, 10), 'q/jobs/fspl-c.fspl': at(3, 5), 'q/nextseq.lock': '' },
    script: `
fspl queue-set-next -q q 100
tell fspl queue-process -q q --order-by Timestamp ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'limit: -n 0, 1, 2 and more than there are',
    warns: 'that the job failed',
    files: fourJobs,
    script: `
fspl queue-init -q q; cp four/* q/jobs
for n in 0 1 2; do tell fspl queue-process -q q -n $n --on-error leave ${TELL_JOB}; left; nextseq; done
tell fspl queue-process -q q --maxjobs 99 ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'an empty queue: the command is not even looked for',
    script: `
fspl queue-init -q q
tell fspl queue-process -q q /no/such/command; tell fspl queue-process -q q ''; nextseq`,
  },
  {
    name: 'an append-only queue is never processed',
    script: `
fspl queue-init --append-only -q q; job 1 -s -
tell fspl queue-process -q q echo; tell fspl queue-process -q q --order-by timestamp echo
tell fspl queue-info -q q -j 1; tell fspl queue-payload -q q -j 1; fspl queue-ls -q q | wc -l`,
  },
  {
    name: 'nop and fail run nothing',
    warns: 'that the job failed',
    files: fourJobs,
    script: `
fspl queue-init -q q; cp four/fspl-c.fspl four/fspl-d.fspl q/jobs; fspl queue-set-next -q q 4
tell fspl queue-process -q q /no/such/command; left; nextseq
fspl queue-set-next -q q 3
tell fspl queue-process -q q /no/such/command; left; nextseq
tell fspl queue-process -q q --on-error delete /no/such/command; left; nextseq`,
  },
  {
    name: 'skipping the job at the head',
    warns: 'that the job failed',
    files: fourJobs,
    script: `
fspl queue-init -q q; cp four/* q/jobs
tell fspl queue-process -q q false
fspl queue-set-next -q q 2; tell fspl queue-process -q q -n 1 ${TELL_JOB}; left; nextseq
tell fspl queue-process -q q --on-error Delete --maxjobs 1 false; left; nextseq`,
  },
  {
    name: 'jobs that arrive during the run wait for the next one',
    files: fourJobs,
    script: `
fspl queue-init -q q; cp four/fspl-a.fspl q/jobs
tell fspl queue-process -q q cp -- four/fspl-b.fspl q/jobs/fspl-b.fspl; left; nextseq
tell fspl queue-process -q q ${TELL_JOB}; left; nextseq`,
  },
  {
    name: 'the lock is held during the run, listing and writing go on',
    files: { 'q/jobs/fspl-a.fspl': at(1, 10), 'q/nextseq': '1\n', 'q/nextseq.lock': '' },
    script: `
cat >nested <<'END'
fspl queue-get-next -q q 2>/dev/null; echo "get-next $?"
fspl queue-set-next -q q 9 2>/dev/null; echo "set-next $?"
fspl queue-process -q q true 2>/dev/null; echo "process $?"
fspl queue-ls -q q; echo "ls $?"
fspl queue-payload -q q -j 1; echo "payload $?"
echo new | fspl queue-write -q q; echo "write $?"
flock --nonblock q/nextseq.lock true; echo "flock $?"
END
tell fspl queue-process -q q sh -- nested; nextseq; flock --nonblock q/nextseq.lock true; echo "flock $?"`,
  },
  {
    name: 'a number that the command writes to nextseq is overwritten',
    files: fourJobs,
    script: `
fspl queue-init -q q; cp four/fspl-a.fspl four/fspl-b.fspl q/jobs
tell fspl queue-process -q q sh -- -c 'echo "ran $FSPL_SEQ"; echo 77 >q/nextseq'; left; nextseq`,
  },
  {
    name: 'the next job is damaged during the run',
    files: fourJobs,
    script: `
for value in retry delete leave; do
  rm -rf q; fspl queue-init -q q; cp four/* q/jobs
  tell fspl queue-process -q q --on-error $value sh -- -c 'echo "ran $FSPL_SEQ"; echo junk >q/jobs/fspl-b.fspl'
  left; nextseq
done`,
  },
  {
    name: 'nextseq cannot be written: the job has not run',
    difference: 'A job whose end could not be written down would run again: ours sees that before it is run.',
    real: { stdout: 'ran 1 fspl-a.fspl\nexit 1, complained\nleft: fspl-a.fspl fspl-b.fspl\nnextseq 1\n' },
    ours: { stdout: 'exit 1, complained\nleft: fspl-a.fspl fspl-b.fspl\nnextseq 1\n' },
    files: fourJobs,
    script: `
fspl queue-init -q q; cp four/fspl-a.fspl four/fspl-b.fspl q/jobs; mkdir q/nextseq.temp
tell fspl queue-process -q q ${TELL_JOB}; left; nextseq`,
  },
];

// Where ours does something else, on purpose: processing. Each says why.
import { packet } from '../packet.ts';
import type { Scenario } from '../scenario.ts';

const job = (seq: number, seconds = seq) => packet({ seq, seconds, payload: `payload ${seq}\n` });
const queueFiles = { 'q/nextseq': '1\n', 'q/nextseq.lock': '' };
const oneJob = { ...queueFiles, 'q/jobs/fspl-a.fspl': job(1) };
const threeJobs = { ...oneJob, 'q/jobs/fspl-b.fspl': job(2), 'q/jobs/fspl-c.fspl': job(3) };

const SIGNALS = { KILL: 9, TERM: 15, HUP: 1 } as const;

/** Waits up to two seconds for the end of a process; says so when it is still there. */
const UNTIL_GONE = `
until_gone() {
  for i in $(seq 40); do alive $1 || return; sleep 0.05; done
  echo 'still alive'
}
`;

export const differencesProcess: readonly Scenario[] = [
  {
    name: 'difference: --timeout and what the command has started',
    difference:
      'At the time limit ours ends the whole process group: a grandchild must not work on after its job failed.',
    files: oneJob,
    script: `${UNTIL_GONE}
printf 'sleep 600 & echo $! >pid\nwait\n' >slow
fspl queue-process -q q --timeout 1 sh -- slow 2>/dev/null; echo "exit $?"; until_gone $(cat pid)
fspl stdin-process --timeout 1 sh -- slow <q/jobs/fspl-a.fspl 2>/dev/null; echo "exit $?"; until_gone $(cat pid)
rm pid`,
    real: { stdout: 'exit 1\nstill alive\nexit 1\nstill alive\n' },
    ours: { stdout: 'exit 1\nexit 1\n' },
  },
  ...(['KILL', 'TERM', 'HUP'] as const).map(
    (signal): Scenario => ({
      name: `difference: the processor is ended by signal ${signal}`,
      difference:
        'A command without its processor would run beside the next run of its job: ours takes it along, and the queue stays locked until it is gone.',
      files: oneJob,
      script: `
fspl queue-process -q q sh -- -c 'echo $$ >pid; exec sleep 600' & processor=$!
until_true test -s pid
kill -${signal} $processor; wait $processor 2>/dev/null; echo "ended with $?"
until_true flock --nonblock q/nextseq.lock true
alive $(cat pid) && echo 'still alive'; rm pid
fspl queue-process -q q cat; nextseq; left`,
      real: { stdout: `ended with ${128 + SIGNALS[signal]}\nstill alive\npayload 1\nnextseq 2\nleft:\n` },
      ours: { stdout: `ended with ${128 + SIGNALS[signal]}\npayload 1\nnextseq 2\nleft:\n` },
    }),
  ),
  {
    name: 'difference: a job file vanishes during the run, in the order of time',
    difference: 'A file that another took away is no reason to stop: ours goes on with the next.',
    files: threeJobs,
    script: `
fspl queue-process -q q --order-by timestamp sh -- -c 'echo "ran $FSPL_SEQ"; rm -f q/jobs/fspl-b.fspl' 2>/dev/null
echo "exit $?"; left`,
    real: { stdout: 'ran 1\nexit 1\nleft: fspl-c.fspl\n' },
    ours: { stdout: 'ran 1\nran 3\nexit 0\nleft:\n' },
  },
  {
    name: 'difference: a job file vanishes during the run, in the order of numbers',
    difference: 'Then it is as if it had not arrived: the queue waits for its number.',
    files: threeJobs,
    script: `
fspl queue-process -q q --on-error delete sh -- -c 'echo "ran $FSPL_SEQ"; rm -f q/jobs/fspl-b.fspl' 2>/dev/null
echo "exit $?"; left; nextseq`,
    real: { stdout: 'ran 1\nexit 1\nleft: fspl-c.fspl\nnextseq 2\n' },
    ours: { stdout: 'ran 1\nexit 0\nleft: fspl-c.fspl\nnextseq 2\n' },
  },
  {
    name: 'difference: the command takes its own job file away',
    difference: 'The file was to be removed anyway: ours goes on with the next job.',
    files: { ...oneJob, 'q/jobs/fspl-b.fspl': job(2) },
    script: `
fspl queue-process -q q sh -- -c 'echo "ran $FSPL_SEQ"; rm "$FSPL_JOB_FULLPATH"' 2>/dev/null
echo "exit $?"; left; nextseq`,
    real: { stdout: 'ran 1\nexit 1\nleft: fspl-b.fspl\nnextseq 2\n' },
    ours: { stdout: 'ran 1\nran 2\nexit 0\nleft:\nnextseq 3\n' },
  },
  {
    name: 'difference: what the real one steps over in silence',
    difference:
      'Ours says on standard error what is damaged, missing or failed; with -l error it is as quiet as the real one about the first two.',
    files: { ...queueFiles, 'q/jobs/fspl-b.fspl': job(2), 'q/jobs/fspl-x.fspl': 'junk' },
    script: `
says() { "$@" >/dev/null 2>err; echo "exit $?, $([ -s err ] && echo says something)"; rm err; }
says fspl queue-process -q q true
says fspl -l error queue-process -q q true
says fspl queue-ls -q q
says fspl -l error queue-ls -q q`,
    real: { stdout: 'exit 0, \nexit 0, \nexit 0, \nexit 0, \n' },
    ours: { stdout: 'exit 0, says something\nexit 0, \nexit 0, says something\nexit 0, \n' },
  },
];

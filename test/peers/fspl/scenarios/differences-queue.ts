// Where ours does something else, on purpose: sending, writing, reading. Each says why.
import { packet } from '../packet.ts';
import type { Scenario } from '../scenario.ts';

const job = (seq: number, seconds = seq) => packet({ seq, seconds, payload: `payload ${seq}\n` });
const oneJob = { 'q/jobs/fspl-a.fspl': job(1), 'q/nextseq': '1\n', 'q/nextseq.lock': '' };

/** Metadata of about 1.2 million bytes. */
const large = packet({
  ...{ seq: 1, seconds: 1 },
  kind: { params: Array.from({ length: 300 }, () => 'x'.repeat(4000)), env: [] },
});

/** A prefix that claims 2^40 bytes of metadata, with a right checksum. */
const huge = Buffer.from('2a46494c4553504f4f4c4552000100000100000000000000000000000000000083a3736571', 'hex');

/** What takes the lock of a seqfile that holds 5, and what the file holds afterwards. */
const WAITING = [
  ['prepare', 6],
  ['prepare-nop', 6],
  ['prepare-fail', 6],
  ['prepare-get-next', 5],
  ['prepare-set-next 9', 9],
] as const;

/** Looks at the queue from all sides; FIFOs and other special files named like a job stand in it. */
const LOOK = `
run fspl queue-ls -q q
run fspl queue-payload -q q -j 1
run fspl queue-process -q q cat
nextseq`;
const LOOKED = `ID                   creation timestamp          filename
1                    1970-01-01T05:30:01+05:30   fspl-a.fspl
exit 0
payload 1
exit 0
payload 1
exit 0
nextseq 2
`;

/** Tells an error that was reported from a crash. */
const DECENT = `
decent() { "$@" >/dev/null 2>&1 3>&-; case $? in 0|1) echo decent;; *) echo crashed;; esac; }
`;

export const differencesQueue: readonly Scenario[] = [
  {
    name: 'difference: nothing on standard input of queue-write',
    difference:
      'An empty packet is never a job: it is what is left of a sender that failed, so ours refuses it and queues nothing.',
    script: `
fspl queue-init -q q
for how in null closed pipe; do
  case $how in
    null) fspl queue-write -q q </dev/null 2>/dev/null;;
    closed) fspl queue-write -q q <&- 2>/dev/null;;
    pipe) : | fspl queue-write -q q 2>/dev/null;;
  esac
  echo "exit $?, $(ls -A q/jobs | wc -l) files"
done`,
    real: { stdout: 'exit 0, 1 files\nexit 0, 2 files\nexit 0, 3 files\n' },
    ours: { stdout: 'exit 1, 0 files\nexit 1, 0 files\nexit 1, 0 files\n' },
  },
  {
    name: 'difference: standard input of queue-write that cannot be read',
    difference: 'Ours takes its temporary file away again when it fails.',
    script:
      'fspl queue-init -q q; fspl queue-write -q q <. 2>/dev/null; echo "exit $?, $(ls -A q/jobs | wc -l) files"',
    real: { stdout: 'exit 1, 1 files\n' },
    ours: { stdout: 'exit 1, 0 files\n' },
  },
  ...WAITING.map(
    ([subcommand, after]): Scenario => ({
      name: `difference: ${subcommand} while another holds the lock of the seqfile`,
      difference:
        'Senders that start at the same time must all get a number: ours waits for the lock, up to 10 seconds.',
      script: `
echo 5 >s
flock s.lock sh -c 'touch held; while [ ! -e go ]; do sleep 0.01; done' &
until_true test -e held
fspl ${subcommand} -s s >out 2>/dev/null & pid=$!
for i in $(seq 60); do
  alive $pid || break; ls -l /proc/$pid/fd 2>/dev/null | grep -q s.lock && break; sleep 0.02
done
touch go
wait $pid; echo "exit $?"; cat s`,
      real: { stdout: 'exit 1\n5\n' },
      ours: { stdout: `exit 0\n${after}\n` },
    }),
  ),
  {
    name: 'difference: a FIFO named like a job',
    difference: 'A FIFO would keep the reader waiting for ever: ours opens regular files only.',
    files: oneJob,
    script: `mkfifo q/jobs/fspl-f.fspl${LOOK}`,
    real: 'not run',
    ours: {
      status: 0,
      stdout: LOOKED,
      tree: { 'q/jobs/fspl-f.fspl': 'fifo 0644', 'q/jobs/fspl-a.fspl': null },
    },
  },
  {
    name: 'difference: a FIFO named like a job, with a decoder',
    difference: 'As without a decoder: special files are never opened, and never given to the decoder.',
    files: oneJob,
    script: `mkfifo q/jobs/fspl-f.fspl
run fspl queue-ls -q q -d cat
run fspl queue-process -q q -d cat cat; nextseq`,
    real: 'not run',
    ours: {
      stdout: `ID                   creation timestamp          filename
1                    1970-01-01T05:30:01+05:30   fspl-a.fspl
exit 0
payload 1
exit 0
nextseq 2
`,
    },
  },
  {
    name: 'difference: a time that no calendar has',
    difference:
      'A packet with a creation time out of range must not crash the program, nor hide the other jobs.',
    files: {
      'q/jobs/fspl-a.fspl': job(1),
      'q/jobs/fspl-b.fspl': packet({ seq: 2, seconds: 9223372036854775807n }),
      'q/jobs/fspl-c.fspl': packet({ seq: 3, seconds: -9223372036854775808n }),
      'q/jobs/fspl-d.fspl': packet({ seq: 4, seconds: 1, nanoseconds: 4294967295 }),
      'q/nextseq': '1\n',
      'q/nextseq.lock': '',
    },
    script: `${DECENT}
decent fspl queue-ls -q q
fspl queue-ls -q q 2>/dev/null | grep -c fspl-a
for n in 2 3 4; do decent fspl queue-info -q q -j $n; fspl queue-set-next -q q $n; decent fspl queue-process -q q -n 1 true; done`,
    real: { stdout: 'crashed\n1\ncrashed\ncrashed\ncrashed\ncrashed\ncrashed\ncrashed\n' },
    ours: { stdout: 'decent\n1\ndecent\ndecent\ndecent\ndecent\ndecent\ndecent\n' },
  },
  {
    name: 'difference: a header that claims a terabyte',
    difference: 'The length in a header is not trusted: ours refuses more than it is willing to hold.',
    files: { ...oneJob, huge },
    script: `
fspl stdin-info <huge 2>/dev/null; echo "exit $?"
cp huge q/jobs/fspl-h.fspl${LOOK}`,
    real: 'not run',
    ours: { stdout: `exit 1\n${LOOKED}` },
  },
  {
    name: 'difference: standard output of a packet without payload is full',
    difference: 'A packet that could not be written is an error, with or without a payload.',
    script: `
[ -w /dev/full ] || exit 0
for kind in prepare prepare-nop prepare-fail; do
  fspl $kind -s s >/dev/full 2>/dev/null; echo "exit $?"; cat s
done`,
    // The real one fails by chance: when the packet happens to hold a newline.
    real: 'not run',
    ours: { stdout: 'exit 1\n2\nexit 1\n3\nexit 1\n4\n' },
  },
  {
    name: 'difference: standard output of the short answers is full',
    difference: 'A failed write is an error with exit status 1, not a crash.',
    script: `
[ -w /dev/full ] || exit 0
fspl queue-init -q q
for line in gen-uuid gen-filename 'queue-ls -q q' 'queue-get-next -q q' show-license; do
  fspl $line >/dev/full 2>/dev/null; echo "exit $?"
done`,
    real: { stdout: 'exit 101\n'.repeat(5) },
    ours: { stdout: 'exit 1\n'.repeat(5) },
  },
  {
    name: 'difference: the sender is killed in the middle of a packet',
    difference:
      'Half a packet must not run as a good one: ours sees that the writer of the pipe died, and queues nothing.',
    script: `
fspl queue-init -q q; mkfifo feed
{ fspl prepare -s s -i feed & echo $! >pid; wait; } 2>/dev/null |
  { fspl queue-write -q q 2>/dev/null; echo "exit $?" >status; } &
exec 9>feed
until_true test -s pid
echo half >&9
until_true sh -c 'grep -qs half q/jobs/tmp-*'
kill -KILL $(cat pid); exec 9>&-
until_true test -s status; cat status; ls q/jobs | grep -c '^fspl-'`,
    real: { stdout: 'exit 0\n1\n' },
    ours: { stdout: 'exit 1\n0\n' },
  },
  {
    name: 'difference: metadata of more than a megabyte',
    difference:
      'Metadata is held in memory, so there is a bound to it, far above what a command line can hold.',
    files: { large },
    script: 'fspl stdin-info <large >out 2>/dev/null; echo "exit $?"; rm out',
    real: { stdout: 'exit 0\n' },
    ours: { stdout: 'exit 1\n' },
  },
];

// Odd files in jobs/, odd names, odd places of a queue.
import { packet } from '../packet.ts';
import type { Scenario } from '../scenario.ts';

const made = (seq: number) => packet({ seq, seconds: seq, payload: `payload ${seq}\n` });

/** Everything that looks at a queue. */
const LOOK = `
tell fspl queue-ls -q q
tell fspl queue-info -q q -j 1
tell fspl queue-payload -q q -j 1
tell fspl queue-process -q q cat
nextseq`;

const withJob = (extra: string) => `
fspl queue-init -q q; cp one q/jobs/fspl-one.fspl
${extra}
${LOOK}`;
const files = { one: made(1) };

export const names: readonly Scenario[] = [
  {
    name: 'names: only fspl-*.fspl are jobs',
    files: { one: made(1), two: made(2) },
    script: withJob(`
for name in x.fspl fspl-x fspl.fspl FSPL-x.FSPL tmp-fspl-x.fspl.tmp .fspl-x.fspl fspl-x.fspl.out fspl-x.fspl~ fspl-x.fspl.fsp; do
  cp two "q/jobs/$name"
done`),
  },
  {
    name: 'names: anything between the two ends is a name',
    files: Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`${n}`, made(n)])),
    script: `
fspl queue-init -q q
cp 1 q/jobs/fspl-.fspl; cp 2 'q/jobs/fspl-with blank.fspl'; cp 3 'q/jobs/fspl-*?.fspl'; cp 4 q/jobs/fspl--x.fspl
cp 5 'q/jobs/fspl-é.fspl'; cp 6 q/jobs/fspl-fspl-.fspl.fspl
tell fspl queue-ls -q q
for n in 1 2 3 4 5 6; do fspl queue-info -q q -j $n | grep FSPL_JOB; done
tell fspl queue-process -q q sh -- -c 'echo "$FSPL_JOB_FILENAME,$FSPL_JOB_FULLPATH"'`,
  },
  {
    name: 'names: a job file that is a symlink',
    files,
    script: `
fspl queue-init -q q; mkdir elsewhere; mv one elsewhere/; ln -s ../../elsewhere/one q/jobs/fspl-link.fspl${LOOK}`,
  },
  {
    name: 'names: a dangling symlink',
    warns: 'that it leads nowhere',
    files,
    script: withJob('ln -s nowhere q/jobs/fspl-x.fspl'),
  },
  {
    name: 'names: a symlink to itself',
    warns: 'that it leads nowhere',
    files,
    script: withJob('ln -s fspl-x.fspl q/jobs/fspl-x.fspl'),
  },
  {
    name: 'names: a directory',
    warns: 'that it is a directory',
    files,
    script: withJob('mkdir q/jobs/fspl-x.fspl'),
  },
  {
    name: 'names: a symlink to a directory',
    warns: 'that it is a directory',
    files,
    script: withJob('ln -s .. q/jobs/fspl-x.fspl'),
  },
  {
    name: 'names: with a decoder, directories and dangling symlinks are stepped over too',
    files,
    script: `
fspl queue-init -q q; cp one q/jobs/fspl-one.fspl
mkdir q/jobs/fspl-x.fspl; ln -s nowhere q/jobs/fspl-y.fspl; ln -s . q/jobs/fspl-z.fspl
run fspl queue-ls -q q -d 'cat 2>/dev/null'; run fspl queue-payload -q q -j 1 -d 'cat 2>/dev/null'
run fspl queue-process -q q -d 'cat 2>/dev/null' cat; nextseq; left`,
  },
  {
    name: 'names: an empty file and files with damaged headers',
    warns: 'what is wrong with each',
    files: {
      one: made(1),
      short: made(2).subarray(0, 29),
      cut: made(2).subarray(0, 40),
      tag: Buffer.from(made(2)).fill('x', 0, 1),
    },
    script: withJob(`
: >q/jobs/fspl-empty.fspl; echo words >q/jobs/fspl-words.fspl
for bad in short cut tag; do cp $bad q/jobs/fspl-$bad.fspl; done`),
  },
  {
    name: 'names: a file that may not be read',
    warns: 'that it may not be read',
    needs: ['ordinary user'],
    files: { one: made(1), two: made(2) },
    script: `
fspl queue-init -q q; cp one q/jobs/fspl-one.fspl; cp two q/jobs/fspl-two.fspl
chmod 777 q q/jobs; chmod 666 q/nextseq*; chmod 000 q/jobs/fspl-two.fspl
tell as_user fspl queue-ls -q q
tell as_user fspl queue-info -q q -j 2
tell as_user fspl queue-process -q q cat
nextseq; chmod 644 q/jobs/*`,
  },
  {
    name: 'names: jobs/ may not be read, or not be written',
    needs: ['ordinary user'],
    files,
    script: `
fspl queue-init -q q; cp one q/jobs/fspl-one.fspl; chmod 777 q; chmod 666 q/nextseq*
chmod 333 q/jobs; tell as_user fspl queue-ls -q q; tell as_user fspl queue-process -q q cat
chmod 555 q/jobs; tell as_user fspl queue-process -q q cat
chmod 755 q/jobs; nextseq`,
  },
  {
    name: 'names: the queue directory may not be written',
    difference: 'A job whose end could not be written down would run again: ours sees that before it is run.',
    real: {
      stdout: `payload 1\nexit 1, complained\nnextseq 1\nleft: fspl-one.fspl\n${'exit 1, complained\n'.repeat(2)}`,
    },
    ours: {
      stdout: `exit 1, complained\nnextseq 1\nleft: fspl-one.fspl\n${'exit 1, complained\n'.repeat(2)}`,
    },
    needs: ['ordinary user'],
    files,
    script: `
fspl queue-init -q q; cp one q/jobs/fspl-one.fspl; chmod 777 q/jobs; chmod 666 q/nextseq*; chmod 555 q
tell as_user fspl queue-process -q q cat; nextseq; left
chmod 444 q/nextseq.lock; tell as_user fspl queue-process -q q cat; tell as_user fspl queue-get-next -q q
chmod 755 q`,
  },
  {
    name: 'names: jobs/ is missing, or a file',
    script: `
fspl queue-init -q q; rmdir q/jobs${LOOK}
touch q/jobs${LOOK}`,
  },
  {
    name: 'names: jobs/ is a symlink',
    files,
    script: `
fspl queue-init -q q; rmdir q/jobs; mkdir far; ln -s ../far q/jobs; cp one far/fspl-one.fspl
echo x | tell fspl queue-write -q q; rm far/fspl-????????-*
${LOOK}`,
  },
  {
    name: 'names: nextseq is a symlink',
    files,
    script: `
fspl queue-init -q q; mv q/nextseq number; ln -s ../number q/nextseq; cp one q/jobs/fspl-one.fspl${LOOK}; cat number`,
  },
  {
    name: 'names: -q is a file, or nothing',
    script: `
touch f
for q in f f/ no ''; do
  tell fspl queue-ls -q "$q"; tell fspl queue-process -q "$q" true; tell fspl queue-get-next -q "$q"
  tell fspl queue-info -q "$q" -j 1; echo x | tell fspl queue-write -q "$q"
done`,
  },
  {
    name: 'names: a queue with a name full of blanks',
    files,
    script: `
fspl queue-init -q ' my
queue '
cp one ' my
queue /jobs/fspl-one.fspl'
tell fspl queue-info -q ' my
queue ' -j 1
tell fspl queue-process -q ' my
queue ' sh -- -c 'echo "$FSPL_JOB_FULLPATH"'`,
  },
];

/** Where the runtime's own idea of a file name takes part. */
export const namesOfBytes: readonly Scenario[] = [
  {
    name: 'names: a newline or bytes that are not UTF-8',
    files: { 1: made(1), 2: made(2) },
    script: String.raw`
fspl queue-init -q q
cp 1 "$(printf 'q/jobs/fspl-a\nb.fspl')"; cp 2 "$(printf 'q/jobs/fspl-\377\376.fspl')"
tell fspl queue-ls -q q
fspl queue-info -q q -j 1; fspl queue-info -q q -j 2
tell fspl queue-process -q q sh -- -c 'echo "$FSPL_JOB_FILENAME"; cat "$FSPL_JOB_FULLPATH" | tail -c 10'`,
  },
];

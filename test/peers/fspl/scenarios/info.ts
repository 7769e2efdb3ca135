// What queue-info, queue-payload and the stdin- pair show, and the environment of a command.
import { packet } from '../packet.ts';
import type { Scenario } from '../scenario.ts';

const full = packet({
  ...{ seq: 7, seconds: 1_700_000_000, nanoseconds: 5, payload: 'the payload\n' },
  kind: {
    params: ['one', 'two words', '', 'é', 'line\nline', '--x'],
    env: [
      ['FOO', 'bar'],
      ['EMPTY', ''],
      ['LINES', 'a\nb=c'],
    ],
  },
});
const nop = packet({ seq: 3, seconds: 60, kind: 'NOP' });
const fail = packet({ seq: 4, seconds: 61, kind: 'Fail', payload: 'not looked at' });
const queueFiles = { 'q/jobs/fspl-a.fspl': full, 'q/jobs/fspl-b.fspl': nop, 'q/jobs/fspl-c.fspl': fail };

export const info: readonly Scenario[] = [
  {
    name: 'stdin-info: everything in a packet',
    files: { p: full, nop, fail },
    script: 'tell fspl stdin-info <p; tell fspl stdin-info <nop; tell fspl stdin-info <fail',
  },
  {
    name: 'stdin-info: the same through a pipe',
    files: { p: full },
    script: 'cat p | tell fspl stdin-info; (head -c 20 p; sleep 0.1; tail -c +21 p) | tell fspl stdin-info',
  },
  {
    name: 'stdin-info and stdin-payload: no input',
    script: `
for what in info payload; do
  tell fspl stdin-$what </dev/null
  tell fspl stdin-$what <&-
  : | tell fspl stdin-$what
done
tell fspl stdin-process true </dev/null; tell fspl stdin-process true <&-`,
  },
  {
    name: 'stdin-payload',
    files: { p: full, nop, fail },
    script:
      'tell fspl stdin-payload <p; cat p | tell fspl stdin-payload; tell fspl stdin-payload <nop; tell fspl stdin-payload <fail',
  },
  {
    name: 'queue-info: everything in a packet, and where it is',
    files: queueFiles,
    script:
      'tell fspl queue-info -q q -j 7; tell fspl queue-info --queuedir=q --job=3; tell fspl queue-info -j4 -qq',
  },
  {
    name: 'queue-info: neither nextseq nor its lock is needed or made',
    files: queueFiles,
    script: 'ls q; tell fspl queue-info -q q -j 07; tell fspl queue-payload -q q -j +7; ls q',
  },
  {
    name: 'queue-payload',
    files: queueFiles,
    script: 'for n in 7 3 4; do tell fspl queue-payload -q q -j $n; done',
  },
  {
    name: 'queue-info and queue-payload: no such job',
    files: queueFiles,
    script: `
for n in 1 8 18446744073709551615 0; do tell fspl queue-info -q q -j $n; tell fspl queue-payload -q q -j $n; done
for q in . no ''; do tell fspl queue-info -q "$q" -j 7; tell fspl queue-payload -q "$q" -j 7; done`,
  },
  {
    name: 'queue-info and queue-payload: refuse a queue in which any number is there twice',
    files: { ...queueFiles, 'q/jobs/fspl-d.fspl': nop },
    script: 'for n in 3 7 99; do tell fspl queue-info -q q -j $n; tell fspl queue-payload -q q -j $n; done',
  },
  {
    name: 'queue-info: the queue directory is shown as it was given',
    files: { ...queueFiles, 'other/x': '' },
    script: `
for q in q q/ ./q q// other/../q "$PWD/q"; do
  fspl queue-info -q "$q" -j 7 | grep FSPL_JOB
done
cd q; fspl queue-info -q . -j 7 | grep FSPL_JOB; fspl queue-info -q ../q -j 7 | grep FSPL_JOB
cd ..; ln -s q 'a link'; fspl queue-info -q 'a link' -j 7 | grep FSPL_JOB`,
  },
  {
    name: 'environment of a command: exactly what queue-info shows',
    files: queueFiles,
    script: `
touch q/nextseq.lock; echo 7 >q/nextseq
fspl queue-info -q q -j 7 | sort >shown
tell fspl queue-process -q q env >all
grep -e '^FSPL_' -e '^line$' -e '^b=c' all | sort >got
cmp shown got && echo same; cat got; rm all`,
  },
  {
    name: 'environment of a command: exactly what stdin-info shows',
    files: { p: full },
    script: `
fspl stdin-info <p | sort >shown
tell fspl stdin-process env <p >all
grep -e '^FSPL_' -e '^line$' -e '^b=c' all | sort >got
cmp shown got && echo same; rm all`,
  },
  {
    name: 'environment of a command: what the processor has stays, the job wins',
    files: { p: full },
    script: `
export FSPL_SET_FOO=mine FSPL_SET_OTHER=mine FSPL_PARAM_1=mine FSPL_PARAM_9=mine FSPL_SEQ=99 FSPL_JOB_FILENAME=mine \\
  FSPL_ELSE=mine FSPL_CTIME_SECS=1 PLAIN=mine
fspl stdin-process env <p | grep -e '^FSPL_' -e PLAIN | sort`,
  },
  {
    name: 'environment of a command: in a queue',
    files: queueFiles,
    script: `
touch q/nextseq.lock; echo 7 >q/nextseq
export FSPL_SET_FOO=mine FSPL_PARAM_9=mine FSPL_JOB_FILENAME=mine FSPL_JOB_FULLPATH=mine PLAIN=mine
fspl queue-process -q q env | grep -e '^FSPL_' -e PLAIN | sort`,
  },
  {
    name: 'environment of a command: nothing else changes',
    files: { p: packet({ seq: 1, seconds: 0 }) },
    script: 'env | sort >before; fspl stdin-process env <p | sort >after; diff before after; rm before after',
  },
  {
    name: 'environment of a command: values that are not UTF-8 arrive as they are',
    script: String.raw`
bad=$(printf 'a\377b')
FSPL_SET_X="$bad" fspl prepare -s - >p
tell env "OTHER=$bad" fspl stdin-process sh -- -c 'printf "%s" "$FSPL_SET_X$OTHER" | od -An -c' <p`,
  },
  {
    name: 'environment of a command: names that are not UTF-8 arrive as they are',
    needs: ['no wrapper'],
    script: String.raw`
env "FSPL_SET_$(printf '\377')=1" fspl prepare -s - >p
tell env "O$(printf '\376')=2" fspl stdin-process /usr/bin/env <p >all
grep -a -e SET -e ^O all | sort | od -An -c; rm all`,
  },
  {
    name: 'info: standard output is closed, or full',
    files: queueFiles,
    script: `
tell fspl queue-info -q q -j 7 >&-; tell fspl queue-ls -q q >&-; tell fspl queue-payload -q q -j 7 >&-
[ -w /dev/full ] || exit 0
attempt fspl queue-info -q q -j 7 >/dev/full; attempt fspl queue-payload -q q -j 7 >/dev/full`,
  },
];

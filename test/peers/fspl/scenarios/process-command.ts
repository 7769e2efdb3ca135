// queue-process: how the command is found, started, fed, ended and judged.
import { packet } from '../packet.ts';
import type { Scenario } from '../scenario.ts';

const withPayload = (seq: number, params: readonly string[] = []) =>
  packet({ seq, seconds: seq, payload: `payload ${seq}\n`, kind: { params, env: [] } });

/** A queue with one job, and nextseq 1. */
const oneJob = { 'q/jobs/fspl-a.fspl': withPayload(1), 'q/nextseq': '1\n', 'q/nextseq.lock': '' };
const twoJobs = { ...oneJob, 'q/jobs/fspl-b.fspl': withPayload(2) };
const withParams = { ...oneJob, 'q/jobs/fspl-a.fspl': withPayload(1, ['j1', 'j 2', '', '--', '-x']) };

/** A command that cannot be started: nothing changes, whatever --on-error says. */
const cannotStart = (name: string, prepare: string, command: string): Scenario => ({
  name: `not startable: ${name}`,
  files: oneJob,
  script: `
${prepare}
tell fspl queue-process -q q ${command}; left; nextseq
tell fspl queue-process -q q --order-by timestamp --on-error delete ${command}; left; nextseq
tell fspl stdin-process ${command} <q/jobs/fspl-a.fspl`,
});

/** A command that is ended by a signal. */
const signalled = (signal: string): Scenario => ({
  name: `judged: ended by signal ${signal}`,
  files: oneJob,
  script: `
tell fspl queue-process -q q sh -- -c 'kill -${signal} $$; sleep 5'; left; nextseq
tell fspl stdin-process sh -- -c 'kill -${signal} $$; sleep 5' <q/jobs/fspl-a.fspl
tell fspl queue-process -q q --on-error delete sh -- -c 'kill -${signal} $$; sleep 5'; left; nextseq`,
});

export const processCommand: readonly Scenario[] = [
  cannotStart('not found', '', '/no/such/command'),
  cannotStart('not found on PATH', '', 'no-such-command-anywhere'),
  cannotStart('not found in this directory', 'printf "#!/bin/sh\\n" >here; chmod +x here', 'here'),
  cannotStart('not executable', 'touch here', './here'),
  cannotStart('a directory', 'mkdir here', './here'),
  cannotStart('an executable file that is empty', ': >here; chmod +x here', './here'),
  cannotStart('a script without its first line', 'echo "echo hi" >here; chmod +x here', './here'),
  cannotStart('a script whose interpreter is missing', 'echo "#!/no/such" >here; chmod +x here', './here'),
  cannotStart('no name', '', "''"),
  {
    name: 'startable: a script in this directory, on PATH, by full path',
    files: oneJob,
    script: `
printf '#!/bin/sh\\necho "script $*"; cat\\n' >here; chmod +x here
tell fspl queue-process -q q --never-delete ./here -- a 'b c'; fspl queue-set-next -q q 1
tell fspl queue-process -q q --never-delete "$PWD/here" -- a; fspl queue-set-next -q q 1
export PATH="$PWD:$PATH"
tell fspl queue-process -q q here`,
  },
  {
    name: 'judged: exit statuses',
    files: oneJob,
    script: `
for n in 0 1 126 128 255; do
  fspl queue-set-next -q q 1
  tell fspl queue-process -q q --never-delete sh -- -c "exit $n"; nextseq
  tell fspl stdin-process sh -- -c "exit $n" <q/jobs/fspl-a.fspl
done`,
  },
  ...['TERM', 'KILL', '34'].map(signalled),
  {
    name: 'parameters: own ones only, without --allow-job-params',
    files: withParams,
    script: `
tell fspl queue-process -q q --never-delete printf -- '<%s>\\n' own 'o 2' ''; fspl queue-set-next -q q 1
tell fspl queue-process -q q --never-delete printf -- '<%s>\\n'; fspl queue-set-next -q q 1
tell fspl -l error queue-process -q q echo`,
  },
  {
    name: 'parameters: the ones of the job come after the own ones',
    files: withParams,
    script: `
tell fspl queue-process -q q --never-delete --allow-job-params printf -- '<%s>\\n' own 'o 2' ''
fspl queue-set-next -q q 1
tell fspl queue-process --allow-job-params -q q printf -- '%s,' -- -n`,
  },
  {
    name: 'parameters: --allow-job-params and a job without any',
    files: oneJob,
    script: `tell fspl queue-process -q q --allow-job-params printf -- '<%s>\\n' own`,
  },
  {
    name: 'standard input: the payload, from its first byte',
    files: twoJobs,
    script: `echo outer >outer; tell fspl queue-process -q q cat -- - <outer; nextseq`,
  },
  {
    name: 'standard input: is the job file itself',
    files: oneJob,
    script: `
[ -e /proc/self/fd/0 ] || exit 0
tell fspl queue-process -q q sh -- -c 'readlink /proc/self/fd/0; grep pos: /proc/self/fdinfo/0'`,
  },
  {
    name: 'standard input: no payload',
    files: { ...oneJob, 'q/jobs/fspl-a.fspl': packet({ seq: 1, seconds: 0 }) },
    script: `echo outer | tell fspl queue-process -q q sh -- -c 'cat; echo end'`,
  },
  {
    name: 'standard input: with --ignore-payload it is that of fspl',
    files: twoJobs,
    script: `
echo outer | tell fspl queue-process -q q --ignore-payload sh -- -c 'cat; echo end'; left`,
  },
  {
    name: 'standard input: a large payload',
    script: `
seq 1 300000 >in; fspl queue-init -q q; job 1 -s - -i in
tell fspl queue-process -q q sh -- -c 'cmp - in && echo same'; left; rm in`,
  },
  {
    name: 'standard input: a large payload that is not read, or not to the end',
    script: `
seq 1 300000 >in; fspl queue-init -q q; for n in 1 2 3; do job $n -s s -i in; done
tell fspl queue-process -q q -n 1 true; tell fspl queue-process -q q -n 1 head -- -n 1
tell fspl queue-process -q q -n 1 sh -- -c 'exec <&-; echo closed'; left; nextseq; rm in`,
  },
  {
    name: 'standard output and error: passed on, in order',
    files: twoJobs,
    script: `
fspl queue-process -q q sh -- -c 'echo out $FSPL_SEQ; echo err $FSPL_SEQ >&2; echo more' >both 2>&1; cat both`,
  },
  {
    name: 'output-to: SaveBoth',
    files: twoJobs,
    script: `
tell fspl queue-process -q q --output-to SaveBoth sh -- -c 'echo out $FSPL_SEQ; echo err >&2; cat'; left`,
  },
  {
    name: 'output-to: SaveBoth of commands that fail, and again',
    files: twoJobs,
    script: `
echo 'a much longer line of an earlier run' >q/jobs/fspl-a.fspl.out; chmod 600 q/jobs/fspl-a.fspl.out
tell fspl queue-process -q q --output-to SaveBoth sh -- -c 'echo bad; exit 1'; left
(umask 077; tell fspl queue-process -q q --output-to saveboth --on-error leave sh -- -c 'echo worse >&2; exit 1'); left`,
  },
  {
    name: 'output-to: SaveBoth without a command to run',
    files: {
      ...oneJob,
      'q/jobs/fspl-b.fspl': packet({ seq: 2, seconds: 2, kind: 'NOP' }),
      'q/jobs/fspl-c.fspl': packet({ seq: 3, seconds: 2, kind: 'Fail' }),
    },
    script: `
tell fspl queue-process -q q --output-to SaveBoth /no/such/command; left
fspl queue-set-next -q q 2; tell fspl queue-process -q q --output-to SaveBoth echo; left`,
  },
  {
    name: 'output-to: SaveBoth where a directory is in the way',
    files: oneJob,
    script: `
mkdir q/jobs/fspl-a.fspl.out
tell fspl queue-process -q q --output-to SaveBoth --on-error delete echo; left; nextseq`,
  },
  {
    name: 'output-to: PassBoth is the default',
    files: twoJobs,
    script: `
tell fspl queue-process -q q -n 1 cat; tell fspl queue-process -q q --output-to PassBoth cat; left`,
  },
  {
    name: 'timeout: a command in time',
    files: twoJobs,
    script: `
cp q/jobs/fspl-a.fspl p; tell fspl queue-process -q q --timeout 30 cat; left; nextseq
tell fspl stdin-process --timeout=30 cat <p; echo x | tell fspl stdin-process --timeout 30 cat`,
  },
  {
    name: 'timeout: a command that is too slow is killed, and has failed',
    files: twoJobs,
    script: `
tell fspl queue-process -q q --timeout 1 sleep -- 600; left; nextseq
tell fspl queue-process -q q --timeout 1 --on-error delete -n 1 sleep -- 600; left; nextseq`,
  },
  {
    name: 'timeout: no asking first, and for stdin-process too',
    files: oneJob,
    script: `
tell fspl stdin-process --timeout 1 sh -- -c 'trap "echo asked" TERM INT HUP; exec sleep 600' <q/jobs/fspl-a.fspl
tell fspl queue-process -q q --timeout 0 sleep -- 600; left; nextseq`,
  },
  {
    name: 'timeout: the largest number of seconds',
    files: oneJob,
    script: 'tell fspl queue-process -q q --timeout 18446744073709551615 cat; left',
  },
  {
    name: 'surroundings: directory, umask, signals',
    files: oneJob,
    script: `
[ -e /proc/self/status ] || exit 0
umask 027
# The C library's own signals, 32 and 33, are left out: how they are set depends on the way of starting.
look='pwd; umask; sed -n "/^Sig[BI]/s/:.*\\(.......\\)$/ \\1/p" /proc/self/status'
fspl queue-process -q q --never-delete sh -- -c "$look" 3>&- >got
sh -c "$look" 3>&- >wanted
diff wanted got && cat got; rm got wanted`,
  },
  {
    name: 'surroundings: a queue given by a path relative to here',
    files: { ...oneJob, 'sub/x': '' },
    script: `
cd sub; tell fspl queue-process -q ../q sh -- -c 'pwd; cat "$FSPL_JOB_FULLPATH" | tail -c 10'; cd ..; left; nextseq`,
  },
  {
    name: 'never-delete: the job may be run again',
    files: twoJobs,
    script: `
tell fspl queue-process -q q --never-delete cat; left; nextseq
fspl queue-set-next -q q 2; tell fspl queue-process -q q --never-delete cat; left; nextseq
tell fspl queue-process -q q --never-delete --order-by timestamp cat; left; nextseq`,
  },
];

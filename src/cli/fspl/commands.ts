/** The subcommands of `fspl`: names, options and operands are those of Filespooler 1.2.2, the words are ours. */

import { type CommandSpec, command, flag, oneOf, optional, required, text, u64 } from '../command.ts';

const seqfile = required(
  's',
  'FILE',
  'The sequence file of this sender, made when missing; "-" for none: the number is always 1',
  text,
);
const queuedir = required('q', 'DIR', 'The queue directory', text);
const decoder = optional(
  'd',
  'DECODECMD',
  'A shell command that unpacks each job file, such as zcat; run by $SHELL -c',
  text,
);
const job = required('j', 'ID', 'The number of the job', u64);

const ID = { name: 'ID', help: 'The next sequence number, from 0 to 18446744073709551615', parse: u64 };
const COMMAND = {
  name: 'COMMAND',
  help: 'The command to run for each job: a program, not a shell line',
  parse: text,
};
const PARAMS_FOR_COMMAND = { name: 'PARAMS', help: 'Arguments for COMMAND, before those of the job' };

const running = {
  'allow-job-params': flag('Add the arguments that came with the job to those of COMMAND'),
  'ignore-payload': flag('Do not give the payload to COMMAND'),
  timeout: optional(undefined, 'SECONDS', 'Kill COMMAND and all it started after so many seconds', u64),
};

export const COMMANDS: readonly CommandSpec[] = [
  command({
    name: 'gen-filename',
    summary: 'Print a new name for a job file',
    options: {},
    examples: ['fspl prepare -s ~/state > ~/outbox/$(fspl gen-filename)'],
    load: async () => (await import('./names.ts')).genFilename,
  }),
  command({
    name: 'gen-uuid',
    summary: 'Print a random UUID',
    options: {},
    examples: ['fspl gen-uuid'],
    load: async () => (await import('./names.ts')).genUuid,
  }),
  command({
    name: 'prepare',
    summary: 'Write a new job for a command to standard output',
    options: {
      seqfile,
      input: optional('i', 'INPUT', 'The file to send along as payload; "-" for standard input', text),
    },
    rest: { name: 'PARAMS', help: 'Arguments to send along; FSPL_SET_* variables go along too' },
    examples: [
      'tar -cf - photos | fspl prepare -s ~/state -i - | fspl queue-write -q ~/queue',
      'FSPL_SET_LEVEL=9 fspl prepare -s ~/state -- --verbose > job.fspl',
    ],
    load: async () => (await import('./prepare.ts')).prepare,
  }),
  command({
    name: 'prepare-fail',
    summary: 'Write a job that always fails, to hold up a queue until somebody looks',
    options: { seqfile },
    examples: ['fspl prepare-fail -s ~/state | fspl queue-write -q ~/queue'],
    load: async () => (await import('./prepare.ts')).prepareFail,
  }),
  command({
    name: 'prepare-get-next',
    summary: 'Print the number the next prepared job will get',
    options: { seqfile },
    examples: ['fspl prepare-get-next -s ~/state'],
    load: async () => (await import('./prepare.ts')).prepareGetNext,
  }),
  command({
    name: 'prepare-nop',
    summary: 'Write a job that does nothing and always succeeds',
    options: { seqfile },
    examples: ['fspl prepare-nop -s ~/state | fspl queue-write -q ~/queue'],
    load: async () => (await import('./prepare.ts')).prepareNop,
  }),
  command({
    name: 'prepare-set-next',
    summary: 'Set the number the next prepared job will get',
    options: { seqfile },
    operand: ID,
    examples: ['fspl prepare-set-next -s ~/state 100'],
    load: async () => (await import('./prepare.ts')).prepareSetNext,
  }),
  command({
    name: 'queue-get-next',
    summary: 'Print the number of the job that a queue runs next',
    options: { queuedir },
    examples: ['fspl queue-get-next -q ~/queue'],
    load: async () => (await import('./queue.ts')).queueGetNext,
  }),
  command({
    name: 'queue-info',
    summary: 'Print the environment that a job in a queue gives its command',
    options: { decoder, job, queuedir },
    examples: ['fspl queue-info -q ~/queue -j 5'],
    load: async () => (await import('./queue.ts')).queueInfo,
  }),
  command({
    name: 'queue-init',
    summary: 'Make a queue directory',
    options: {
      'append-only': flag('Make a queue that is only added to and listed here, and processed elsewhere'),
      queuedir,
    },
    examples: ['fspl queue-init -q ~/queue', 'fspl queue-init --append-only -q ~/outgoing'],
    load: async () => (await import('./queue.ts')).queueInit,
  }),
  command({
    name: 'queue-ls',
    summary: 'List the jobs in a queue',
    options: { decoder, queuedir },
    examples: ['fspl queue-ls -q ~/queue', 'fspl queue-ls -q ~/queue -d zcat'],
    load: async () => (await import('./queue.ts')).queueLs,
  }),
  command({
    name: 'queue-payload',
    summary: 'Write the payload of a job in a queue to standard output',
    options: { decoder, job, queuedir },
    examples: ['fspl queue-payload -q ~/queue -j 5 | tar -tf -'],
    load: async () => (await import('./queue.ts')).queuePayload,
  }),
  command({
    name: 'queue-process',
    summary: 'Run the jobs of a queue in order',
    options: {
      ...running,
      decoder,
      maxjobs: optional('n', 'JOBS', 'Run at most so many jobs', u64),
      'never-delete': flag('Leave every job file where it is, whatever happens'),
      'on-error': optional(
        undefined,
        'ONERROR',
        'When a job fails: Retry (stop, keep it), Delete or Leave its file and go on [default: Retry]',
        oneOf(['Delete', 'Leave', 'Retry']),
      ),
      'order-by': optional(
        undefined,
        'ORDERING',
        'Sequence (by number, stopping at a gap) or Timestamp (by creation time) [default: Sequence]',
        oneOf(['Sequence', 'Timestamp']),
      ),
      'output-to': optional(
        undefined,
        'DEST',
        "PassBoth (to our own output) or SaveBoth (to the job file's name with .out) [default: PassBoth]",
        oneOf(['PassBoth', 'SaveBoth']),
      ),
      queuedir,
    },
    operand: COMMAND,
    rest: PARAMS_FOR_COMMAND,
    examples: [
      'fspl queue-process -q ~/queue tar -- -xf - -C /backups',
      'fspl queue-process -q ~/queue -d zcat --on-error Leave --timeout 600 ./import.sh',
    ],
    load: async () => (await import('./process.ts')).queueProcess,
  }),
  command({
    name: 'queue-set-next',
    summary: 'Set the number of the job that a queue runs next',
    options: { queuedir },
    operand: ID,
    examples: ['fspl queue-set-next -q ~/queue 6'],
    load: async () => (await import('./queue.ts')).queueSetNext,
  }),
  command({
    name: 'queue-write',
    summary: 'Add the packet on standard input to a queue',
    options: { queuedir },
    examples: ['fspl prepare -s ~/state -i report.pdf | fspl queue-write -q ~/queue'],
    load: async () => (await import('./queue.ts')).queueWrite,
  }),
  command({
    name: 'show-license',
    summary: 'Print the licence of this program',
    options: {},
    examples: ['fspl show-license'],
    load: async () => (await import('./names.ts')).showLicense,
  }),
  command({
    name: 'stdin-info',
    summary: 'Print the environment that the packet on standard input gives its command',
    options: {},
    examples: ['fspl stdin-info < job.fspl'],
    load: async () => (await import('./stdin.ts')).stdinInfo,
  }),
  command({
    name: 'stdin-payload',
    summary: 'Write the payload of the packet on standard input to standard output',
    options: {},
    examples: ['zcat job.fspl.gz | fspl stdin-payload > payload'],
    load: async () => (await import('./stdin.ts')).stdinPayload,
  }),
  command({
    name: 'stdin-process',
    summary: 'Run a command for the packet on standard input',
    options: running,
    operand: COMMAND,
    rest: PARAMS_FOR_COMMAND,
    examples: ['fspl stdin-process tar -- -xf - < job.fspl'],
    load: async () => (await import('./process.ts')).stdinProcess,
  }),
];

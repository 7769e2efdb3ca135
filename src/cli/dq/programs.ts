/** The commands of IPC::DirQueue, as data; and what they lack, as more options. */

import { type OptionSpec, type Program, wholeNumber } from './options.ts';

const dir: OptionSpec = {
  kind: 'value',
  placeholder: 'DIR',
  help: 'The queue directory',
  required: true,
};
const json: OptionSpec = { kind: 'flag', help: 'Say it as JSON, a line for each job' };
const keepFailed: OptionSpec = {
  kind: 'flag',
  help: 'Keep a job whose command failed, in intray/failed of the queue, instead of removing it',
};

export const DQ_SUBMIT: Program = {
  name: 'dq-submit',
  summary: 'Add a job for each file to a queue of IPC::DirQueue; - is standard input',
  options: {
    dir,
    meta: {
      kind: 'values',
      placeholder: 'NAME=VALUE',
      help: 'Metadata for each job; may be there more than once',
      check: (value) => (/^[^=]+=/s.test(value) ? undefined : 'NAME=VALUE'),
    },
    priority: {
      kind: 'value',
      placeholder: 'N',
      help: '0 to 99, 0 first [default: 50]',
      check: wholeNumber(0, 99),
    },
    json,
  },
  words: 'FILE...',
  examples: [
    'dq-submit --dir /var/spool/mp3 *.wav',
    'dq-submit --dir q --meta to=alice --priority 10 letter.txt',
  ],
};

export const DQ_DEQUE: Program = {
  name: 'dq-deque',
  summary: 'Run a command on one job of a queue of IPC::DirQueue; its data file is the last argument',
  options: { dir, 'keep-failed': keepFailed, json },
  words: 'COMMAND...',
  examples: ['dq-deque --dir /var/spool/mp3 lame --quiet', 'dq-deque --dir q --keep-failed cp -t /archive'],
};

export const DQ_SERVER: Program = {
  name: 'dq-server',
  summary: 'Run a command on every job of a queue of IPC::DirQueue, and wait for more',
  options: {
    dir,
    njobs: {
      kind: 'value',
      placeholder: 'N',
      help: 'End after so many jobs [default: never]',
      check: wholeNumber(1, Number.MAX_SAFE_INTEGER),
    },
    workers: {
      kind: 'value',
      placeholder: 'N',
      help: 'Jobs at once [default: 1]',
      check: wholeNumber(1, 1000),
    },
    'keep-failed': keepFailed,
    json,
  },
  words: 'COMMAND...',
  examples: [
    'dq-server --dir /var/spool/mp3 lame --quiet',
    'dq-server --dir q --workers 4 --keep-failed ./convert',
  ],
};

export const DQ_LIST: Program = {
  name: 'dq-list',
  summary: 'List the jobs of a queue of IPC::DirQueue',
  options: {
    dir,
    count: { kind: 'flag', help: 'Only how many there are' },
    fanout: { kind: 'flag', help: 'The queue has fan-out; it is seen without being told' },
    json: { kind: 'flag', help: 'Say it as one JSON document' },
  },
  examples: ['dq-list --dir /var/spool/mp3', 'dq-list --dir q --count'],
};

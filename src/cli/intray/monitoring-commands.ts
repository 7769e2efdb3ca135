/** The commands of simple-job-q: the Monitor, and what people prefer to editing files by hand. */

import { type CommandSpec, command, flag, optional, repeatable, text } from '../command.ts';
import { NOTICE_OPTIONS } from './notice-options.ts';
import { nonEmpty, variable } from './options.ts';

const ROOT = { name: 'ROOT', help: 'The root of a simple-job-q', parse: text } as const;

export const MONITORING: readonly CommandSpec[] = [
  command({
    name: 'monitor',
    summary: 'Run the units of work of a simple-job-q, until it is told to stop: docs/monitor.md',
    options: {
      once: flag('End when nothing is left that may start'),
      quiet: { ...flag('Say nothing here; monitor_says has it all'), short: 'q' },
      ...NOTICE_OPTIONS,
    },
    operand: ROOT,
    exits: [
      ['0', 'it was told to stop; with --once: all that could be run was done'],
      ['1', 'it could not go on; standard error says why'],
      ['5', 'with --once: something went to error-q or fail-q'],
      ['6', 'config.txt is damaged'],
      ['7', 'another Monitor works there'],
    ],
    examples: [
      'intray monitor init ~/jobs',
      'intray monitor ~/jobs',
      'intray monitor ~/jobs --once',
      'echo STATUS >> ~/jobs/monitor_reads; tail ~/jobs/monitor_says',
    ],
    load: async () => (await import('./monitor.ts')).monitor,
  }),
  command({
    name: 'monitor init',
    summary: 'Make the root of a simple-job-q, with a README in each place and a config to begin with',
    options: {},
    operand: ROOT,
    examples: ['intray monitor init ~/jobs'],
    load: async () => (await import('./monitor.ts')).monitorInit,
  }),
  command({
    name: 'monitor submit',
    summary: 'Put units of work into wait-q: files, or one that is made of its items',
    options: {
      item: repeatable('i', 'NAME=CONTENT', 'An item of the unit of work, in this order', variable),
      name: optional('n', 'NAME', 'What the unit is called [default: as its file, or job-TIME]', nonEmpty),
      priority: flag('Into priority-q'),
    },
    operand: ROOT,
    more: { name: 'FILE', help: 'Files, each with a unit of work', atLeast: 0 },
    examples: [
      'intray monitor submit ~/jobs deploy-17.txt',
      'intray monitor submit ~/jobs --name deploy-17 -i JOB=deploy -i SITE=www.example.org --priority',
    ],
    load: async () => (await import('./monitor.ts')).monitorSubmit,
  }),
  command({
    name: 'monitor status',
    summary: 'Say what lies in each queue of a simple-job-q, and whether a Monitor works it',
    options: {},
    operand: ROOT,
    examples: ['intray monitor status ~/jobs'],
    load: async () => (await import('./monitor.ts')).monitorStatus,
  }),
  command({
    name: 'monitor say',
    summary: 'Give the Monitor a message: HELP, STATUS, PAUSE, RETRY NAME, ...',
    options: {},
    operand: ROOT,
    more: { name: 'WORD', help: 'The message; the words are joined', atLeast: 1 },
    examples: ['intray monitor say ~/jobs RETRY deploy-17', 'intray monitor say ~/jobs FINISH'],
    load: async () => (await import('./monitor.ts')).monitorSay,
  }),
];

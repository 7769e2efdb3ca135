/** The commands of `intray` itself, in the order in which its help lists them. */

import { type CommandSpec, command, flag, oneOf, text } from '../command.ts';
import { MONITORING } from './monitoring-commands.ts';
import { decoder, OPERATING } from './operating-commands.ts';
import { RELAYING } from './relay-commands.ts';
import { WEB } from './web-commands.ts';
import { WORKING } from './working-commands.ts';

const CARING: readonly CommandSpec[] = [
  command({
    name: 'doctor',
    summary: 'Measure what a file system does, look at the queue there, and say what can be promised',
    options: { json: flag('Print one JSON document instead of sentences'), decoder },
    operand: { name: 'DIR', help: 'A queue, or a directory where one could be', parse: text },
    examples: [
      'intray doctor ~/queue',
      'intray doctor /mnt/nfs',
      "intray doctor ~/queue --json | jq -r '.queue.problems[].says'",
    ],
    load: async () => (await import('./doctor.ts')).doctor,
  }),
  command({
    name: 'layouts',
    summary: 'Say which layouts of queues there are, and what each can do',
    options: { json: flag('Print one JSON document, whose fields docs/reference.md describes') },
    operand: {
      name: 'LAYOUT',
      help: 'Say of this one how it can do each thing, or why it cannot',
      parse: text,
      otherwise: '',
    },
    examples: [
      'intray layouts',
      'intray layouts filespooler',
      "intray layouts --json | jq -r '.layouts[].name'",
    ],
    load: async () => (await import('./layouts.ts')).layouts,
  }),
  command({
    name: 'completions',
    summary: 'Print what makes a shell complete these commands',
    options: {},
    operand: { name: 'SHELL', help: 'bash, zsh or fish', parse: oneOf(['bash', 'zsh', 'fish']) },
    examples: [
      'intray completions bash > ~/.local/share/bash-completion/completions/intray',
      'intray completions zsh > ~/.zsh/completions/_intray',
      'intray completions fish > ~/.config/fish/completions/intray.fish',
    ],
    load: async () => (await import('./completions.ts')).completionsFor(COMMANDS),
  }),
];

export const COMMANDS: readonly CommandSpec[] = [
  ...WORKING,
  ...RELAYING,
  ...OPERATING,
  ...WEB,
  ...MONITORING,
  ...CARING,
];

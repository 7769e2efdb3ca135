#!/usr/bin/env node
/** One program for all commands. The name it is called by, or else its first word, says which. */

import type { DqName } from './cli/dq/main.ts';
import type { Machine } from './os/ports.ts';
import { calledAs, commandLine, exitWith } from './os/real/host.ts';
import { realMachine } from './os/real/index.ts';

type Main = (machine: Machine, words: readonly string[]) => Promise<number>;

const dq = (name: DqName) => async (): Promise<Main> => {
  const main = (await import('./cli/dq/main.ts')).dq;
  return (machine, words) => main(machine, name, words);
};

const PROGRAMS: Record<string, () => Promise<Main>> = {
  fspl: async () => (await import('./cli/fspl/main.ts')).fspl,
  fsq: async () => (await import('./cli/fsq/main.ts')).fsq,
  'dq-submit': dq('dq-submit'),
  'dq-deque': dq('dq-deque'),
  'dq-server': dq('dq-server'),
  'dq-list': dq('dq-list'),
};

async function main(): Promise<number> {
  const words = commandLine();
  const byName = PROGRAMS[calledAs()];
  if (byName !== undefined) return (await byName())(realMachine, words);
  const byWord = PROGRAMS[words[0] ?? ''];
  if (byWord !== undefined) return (await byWord())(realMachine, words.slice(1));
  const { intray } = await import('./cli/intray/main.ts');
  return intray(realMachine, words);
}

void main().then(exitWith);

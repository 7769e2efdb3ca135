#!/usr/bin/env node
/** One program for all commands. The name it is called by, or else its first word, says which. */

import { calledAs, commandLine, exitWith } from './os/real/host.ts';
import { realMachine } from './os/real/index.ts';

const PROGRAMS: Record<string, () => Promise<typeof import('./cli/fspl/main.ts').fspl>> = {
  fspl: async () => (await import('./cli/fspl/main.ts')).fspl,
  fsq: async () => (await import('./cli/fsq/main.ts')).fsq,
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

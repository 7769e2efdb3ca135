import fs from 'node:fs';
import os from 'node:os';
import { decodeBytes, looksMangled } from '../bytes.ts';
import type { Host, SignalName } from '../ports.ts';
import { native } from './native.ts';

const NUL = 0;

export const realHost: Host = {
  get name() {
    return os.hostname();
  },
  pid: process.pid,
  get bootId() {
    try {
      return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    } catch {
      return os.hostname(); // no /proc here; the name is the next best
    }
  },
  env: environment,
  onSignal: (signal, handler) => {
    if (isIgnored(signal)) return () => {};
    process.on(signal, handler);
    return () => {
      process.removeListener(signal, handler);
    };
  },
  inForeground: async () => {
    let terminal: number;
    try {
      terminal = fs.openSync('/dev/tty', fs.constants.O_RDONLY | fs.constants.O_NOCTTY);
    } catch {
      return false; // started by cron, a service manager, ssh without -t ...
    }
    try {
      const { library } = await native();
      return library.tcgetpgrp(terminal) === library.getpgrp();
    } finally {
      fs.closeSync(terminal);
    }
  },
  // node:tty takes 1 ms to load; most commands never ask.
  isTerminal: async (descriptor) => (await import('node:tty')).isatty(descriptor),
  terminalColumns: () => process.stdout.columns || undefined,
  openScreen: async (listener) => (await import('./screen.ts')).openScreen(listener),
  dieOf: (signal) => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  },
};

/** The arguments after the program's own name and script, byte for byte. */
export function commandLine(): string[] {
  const args = process.argv.slice(2);
  if (!args.some(looksMangled)) return args;
  const raw = splitAtNul(fs.readFileSync('/proc/self/cmdline'));
  return raw.slice(raw.length - args.length);
}

/** The name this program was called by: `fspl` when it was started through a link of that name. */
export function calledAs(): string {
  // In the single-file executable argv[1] is a path inside the executable; the name called by is argv0.
  const compiled = process.argv[1]?.startsWith('/$bunfs/') ?? false;
  const path = compiled ? process.argv0 : (process.argv[1] ?? '');
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Each variable as it is now; those that the runtime could not hold, because they are not UTF-8, as the kernel gave
 * them to us. (Node keeps these with damaged names or values, Bun drops the ones whose name is damaged.)
 */
function environment(): Map<string, string> {
  const env = new Map<string, string>();
  const { given, names } = lostVariables();
  for (const [name, value] of given) env.set(name, value);
  for (const name of env.keys()) if (!names.has(name) && process.env[name] === undefined) env.delete(name);
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !names.has(name) && !looksMangled(name)) env.set(name, value);
  }
  return env;
}

/** The names of the variables that the runtime could not hold and, if there are any, all that we were given. */
type LostVariables = {
  readonly given: readonly [name: string, value: string][];
  readonly names: Set<string>;
};

let lost: LostVariables | undefined;

/** Read once: what the kernel gave us stays the same, and a worker asks for it at each job. */
function lostVariables(): LostVariables {
  if (lost !== undefined) return lost;
  const given = givenEnvironment();
  const damaged = given.filter(([name, value]) => !name.isWellFormed() || !value.isWellFormed());
  lost = {
    given: damaged.length === 0 ? [] : given,
    names: new Set(damaged.map(([name]) => name)),
  };
  return lost;
}

function givenEnvironment(): [name: string, value: string][] {
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync('/proc/self/environ');
  } catch {
    return []; // no /proc here
  }
  return splitAtNul(bytes).flatMap((entry): [string, string][] => {
    const split = entry.indexOf('=', 1);
    return split > 0 ? [[entry.slice(0, split), entry.slice(split + 1)]] : [];
  });
}

function splitAtNul(bytes: Uint8Array): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = bytes.indexOf(NUL); at >= 0; at = bytes.indexOf(NUL, from)) {
    parts.push(decodeBytes(bytes.subarray(from, at)));
    from = at + 1;
  }
  return parts;
}

/**
 * Whether our parent (nohup, say) had this signal ignored. Bun keeps that; Node resets it before we can look,
 * so there it is not known and reads as false.
 */
function isIgnored(signal: SignalName): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))?.[1];
    const number = os.constants.signals[signal];
    return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(number - 1)) & 1n) === 1n;
  } catch {
    return false; // no /proc here
  }
}

/** What a library has left open may not keep a command that is over: all that it had to say is written. */
const LEFT_OPEN_MS = 1000;

/** Sets the exit status; the process ends when nothing is left to do, and soon. */
export function exitWith(status: number): void {
  process.exitCode = status;
  setTimeout(() => process.exit(), LEFT_OPEN_MS).unref();
}

/** The commands of the simulated machine. */

import { decodeBytes } from '../src/os/bytes.ts';
import { type Descriptor, type Files, type SignalName, STDIN } from '../src/os/ports.ts';
import type { Observer } from './layouts/layout.ts';
import type { Program, Programs } from './machine/processes.ts';
import type { Chance } from './machine/random.ts';

export const JOB_COMMAND = 'job';

/** How a run goes, drawn anew for each run. */
const RUNS = [
  { kind: 'quick', forMs: 1, obeysTerm: true },
  { kind: 'quick', forMs: 20, obeysTerm: true },
  { kind: 'slow', forMs: 3000, obeysTerm: true },
  { kind: 'stubborn', forMs: 60_000, obeysTerm: false },
  { kind: 'never', forMs: 1e9, obeysTerm: true },
] as const;

export type RunKind = (typeof RUNS)[number]['kind'];

export type Runs = { readonly kinds: readonly RunKind[]; readonly failShare: number };

export function programsFor(observer: Observer, chance: Chance, runs: Runs): Programs {
  return new Map([
    [JOB_COMMAND, jobCommand(observer, chance, runs)],
    ['/bin/sh', watchdog],
    ['true', async () => 0],
  ]);
}

/** Reads its input, works for a while, and succeeds or fails. */
function jobCommand(observer: Observer, chance: Chance, { kinds, failShare }: Runs): Program {
  return async ({ machine, process, command, sleep }) => {
    const how = chance.pick(RUNS.filter(({ kind }) => kinds.includes(kind)));
    if (!how.obeysTerm) machine.host.onSignal('SIGTERM', () => {});
    const bytes = await readAll(machine.files, STDIN);
    const run = observer.started(BigInt(command.env.get('FSPL_SEQ') ?? -1), bytes);
    process.onExit.push(() => observer.ended(run, false));
    await sleep(how.forMs);
    const succeeded = !chance.flip(failShare);
    observer.ended(run, succeeded);
    return succeeded ? 0 : 1;
  };
}

const TRAPPED: readonly SignalName[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'];
const NOTE = 3 as Descriptor;
const LOOK_MS = 100;

/**
 * The script of src/worker/watchdog.ts, line by line; the two limits are taken from its text. Not modelled: a shell
 * that cannot be started a second time for `sleep`, and a number of a group that is given out again.
 */
const watchdog: Program = async ({ machine, command, kill, sleep }) => {
  for (const signal of TRAPPED) machine.host.onSignal(signal, () => {}); // trap '' TERM INT HUP QUIT
  await readAll(machine.files, STDIN); //                                   read -r nothing
  const target = Number(decodeBytes(await readAll(machine.files, NOTE))); // read -r target <&3
  if (target === 0) return 0;
  if (Number.isNaN(target)) return 0; // `starting`: the look through /proc is not modelled, see sim/README.md
  if (!kill(target, 'SIGTERM')) return 0;
  const [all = 0, grace = 0] = Array.from(command.args[1]?.matchAll(/-lt (\d+) \]/g) ?? [], ([, tenths]) =>
    Number(tenths),
  );
  for (let tenths = 0; tenths < all && kill(target, 0); tenths++) {
    if (tenths >= grace) kill(target, 'SIGKILL');
    await sleep(LOOK_MS);
  }
  return 0;
};

async function readAll(files: Files, source: Descriptor): Promise<Uint8Array> {
  const buffer = new Uint8Array(256);
  let filled = 0;
  for (;;) {
    const count = await files.read(source, buffer, filled, buffer.length - filled);
    if (count === 0) return buffer.subarray(0, filled);
    filled += count;
  }
}

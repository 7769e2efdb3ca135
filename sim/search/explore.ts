/**
 * The search through all crash states of small cases.
 *
 *     case: a scenario, where its second actor comes in, which call fails with what
 *       moment: before each call, and after the last
 *         image: each disk that a power cut can leave there             a crash state
 *           recovery, checked to its end
 *             moment: before each call of the recovery
 *               image: each disk that a second power cut can leave      a crash state too
 *                 recovery, checked to its end
 *
 * Two crash states with the same disk and the same promises open have the same future: it is gone through once.
 */

import { addAndTell, recoverAndCheck } from '../checker.ts';
import { History, type Violation } from '../history.ts';
import type { Layout } from '../layouts/layout.ts';
import { crashImages, type DirectoryImage, describeImage, diskFrom, wholeImage } from '../machine/crash.ts';
import { Disk, type Profile } from '../machine/disk.ts';
import { machineFor, type Wrap } from '../machine/machine.ts';
import { type Call, World } from '../machine/world.ts';
import { caseName } from './cases.ts';
import { payloadOf, type Scenario } from './scenarios.ts';

export type Case = {
  readonly scenario: Scenario;
  readonly profile: Profile;
  /** The second actor runs before this call of the main one, counted from 1. */
  readonly betweenAt?: number;
  readonly fault?: { readonly call: number; readonly code: string };
};

export type Found = { readonly case: string; readonly at: string; readonly violations: readonly Violation[] };

export type Tally = {
  /** Pairs of a moment and a disk that it can leave. */
  states: number;
  /** Those that differ: as many recoveries were run. */
  recoveries: number;
  moments: number;
  /** Moments of which a limit left out some disks. */
  cut: number;
  cases: number;
};

export type Explorer = {
  readonly layout: Layout;
  readonly wrap?: Wrap;
  readonly tally: Tally;
  /** False: stop as soon as possible. */
  readonly goOn: () => boolean;
  /** Whether a second crash during recovery is tried. */
  readonly secondCrash: boolean;
  /** Told of each call, for a replay. */
  readonly trace?: (line: string) => void;
};

export function newTally(): Tally {
  return { states: 0, recoveries: 0, moments: 0, cut: 0, cases: 0 };
}

type State = { readonly image: DirectoryImage; readonly history: History; readonly at: string };

/** Collects the crash states of one machine as it runs. */
class Moments {
  readonly states: State[] = [];
  readonly #explorer: Explorer;
  readonly #seen: Set<string>;
  #before = '';
  #count = 0;
  #moment = 0;

  constructor(explorer: Explorer, seen: Set<string>) {
    this.#explorer = explorer;
    this.#seen = seen;
  }

  look(disk: Disk, history: History, next: string): void {
    const { tally } = this.#explorer;
    this.#moment += 1;
    tally.moments += 1;
    const versions = `${disk.version} ${history.version}`;
    if (versions !== this.#before) {
      this.#before = versions;
      const { images, cut } = crashImages(disk);
      if (cut) tally.cut += 1;
      this.#count = images.length;
      const after = history.afterCrash();
      const { key } = after;
      for (const image of images) {
        const whole = `${image.key} ${key}`;
        if (this.#seen.has(whole)) continue;
        this.#seen.add(whole);
        this.states.push({ image, history: after, at: `moment ${this.#moment}, before ${next}` });
      }
    }
    tally.states += this.#count;
  }
}

/** What a dead process waits for. */
const NEVER = new Promise<void>(() => {});

/** Goes through one case. Resolves with the first violation and how many calls the main actor made. */
export async function exploreCase(
  explorer: Explorer,
  one: Case,
  seen: Set<string>[] = [new Set(), new Set()],
): Promise<{ readonly calls: number; readonly found: Found | undefined }> {
  const { layout, tally, trace } = explorer;
  tally.cases += 1;
  const [disk, history] = await preparedDisk(layout, one);
  const moments = new Moments(explorer, seen[0] ?? new Set());
  let calls = 0;
  let failed = one.fault === undefined;
  let between: Promise<void> | undefined;
  let told = () => {};
  const dead = new Promise<void>((resolve) => {
    told = resolve;
  });
  const world: World = new World({
    mode: 'direct',
    seed: 1,
    before: (process, call) => {
      trace?.(`${process.label}: ${call.name} ${call.path}`);
      if (process.label === 'main') calls += 1;
      if (failed) moments.look(disk, history, `${process.label}'s ${call.name} ${call.path}`);
    },
    fault: (process, call) => {
      if (process.label !== 'main' || calls !== one.fault?.call) return undefined;
      if (isByDesign(one.fault.code, call)) return undefined;
      failed = true;
      return one.fault.code;
    },
    interlude: (process) => {
      if (process.label !== 'main' || calls + 1 !== one.betweenAt || between !== undefined) return undefined;
      if (one.scenario.mainDies) {
        world.end(process, { kind: 'signaled', signal: 9 });
        history.actorDied();
      }
      between = actor('between', one.scenario.between);
      void between.then(told);
      return one.scenario.mainDies ? NEVER : between;
    },
  });
  const host = { name: 'host', disk };
  const actor = async (label: string, act: Scenario['between']) => {
    const machine = machineFor(world, world.newProcess(host, label), undefined, explorer.wrap);
    await act?.(layout, machine, history);
  };
  const main = actor('main', one.scenario.main);
  if (one.scenario.mainDies && one.betweenAt !== undefined) await Promise.race([main, dead]);
  else await main;
  moments.look(disk, history, 'anything else');
  if (history.violations.length > 0) {
    return { calls, found: { case: caseName(one), at: 'no crash', violations: history.violations } };
  }
  const whole = {
    image: wholeImage(disk),
    history: history.afterCrash(),
    at: 'the end, without a power cut',
  };
  const found = await recoverAll(explorer, one, [whole, ...moments.states], seen, 1);
  return { calls, found };
}

/**
 * Giving up a lock of an open descriptor cannot fail. And a directory that may be written but not opened cannot be
 * synced: the library then leaves its names to the file system (`not-permitted` in publish.ts) and promises less.
 */
function isByDesign(code: string, call: Call): boolean {
  return call.name === 'unlock' || (code === 'EACCES' && call.name === 'opendir');
}

async function recoverAll(
  explorer: Explorer,
  one: Case,
  states: readonly State[],
  seen: Set<string>[],
  depth: number,
): Promise<Found | undefined> {
  for (const { image, history: before, at } of states) {
    if (!explorer.goOn()) return undefined;
    explorer.tally.recoveries += 1;
    const history = before.afterCrash();
    const disk = diskFrom(image, one.profile);
    const again = explorer.secondCrash && depth === 1 && one.fault === undefined;
    const moments = again ? new Moments(explorer, seen[depth] ?? new Set()) : undefined;
    const world = new World({
      mode: 'direct',
      seed: depth + 1,
      firstPid: 1000 * depth,
      before: (process, call) => {
        explorer.trace?.(`  ${process.label} ${depth}: ${call.name} ${call.path}`);
        moments?.look(disk, history, `${call.name} ${call.path}`);
      },
    });
    const process = world.newProcess({ name: 'host', disk }, 'recovery');
    await recoverAndCheck(explorer.layout, machineFor(world, process, undefined, explorer.wrap), history);
    if (history.violations.length > 0) {
      explorer.trace?.(describeImage(image).join('\n'));
      return { case: caseName(one), at, violations: history.violations };
    }
    if (moments === undefined) continue;
    const found = await recoverAll(explorer, one, moments.states, seen, depth + 1);
    if (found !== undefined) return { ...found, at: `${at}; then, in recovery, ${found.at}` };
  }
  return undefined;
}

type Prepared = { readonly image: DirectoryImage; readonly history: History };

/** A queue with its first jobs in it, all of it on disk. The same for every case of a layout, so made once. */
const preparedQueues = new Map<string, Promise<Prepared>>();

async function preparedDisk(layout: Layout, { scenario, profile }: Case): Promise<[Disk, History]> {
  const key = `${layout.name} ${scenario.jobsBefore} ${scenario.fromElsewhere}`;
  const prepared = preparedQueues.get(key) ?? prepare(layout, scenario);
  preparedQueues.set(key, prepared);
  const { image, history } = await prepared;
  return [diskFrom(image, profile), history.afterCrash()];
}

async function prepare(layout: Layout, { jobsBefore, fromElsewhere }: Scenario): Promise<Prepared> {
  const disk = new Disk('weak');
  const history = new History();
  const world = new World({ mode: 'direct', seed: 0, firstPid: 10 });
  const machine = machineFor(world, world.newProcess({ name: 'host', disk }, 'setup'));
  await layout.create(machine);
  for (let at = 1; at <= jobsBefore; at++) {
    await addAndTell(layout, machine, history, payloadOf(`before-${at}`), fromElsewhere);
  }
  return { image: wholeImage(disk), history };
}

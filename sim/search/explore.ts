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

import { addAndTell, lookAround, recoverAndCheck } from '../checker.ts';
import { History, type Violation } from '../history.ts';
import type { Layout } from '../layouts/layout.ts';
import { crashImages, type DirectoryImage, describeImage, diskFrom, wholeImage } from '../machine/crash.ts';
import { Disk, type Profile } from '../machine/disk.ts';
import { machineFor, type Wrap } from '../machine/machine.ts';
import { Mount } from '../machine/mount.ts';
import { type SimHost, World } from '../machine/world.ts';
import { caseName } from './cases.ts';
import { faultNamed } from './faults.ts';
import { payloadOf, type Scenario } from './scenarios.ts';

export type Case = {
  readonly scenario: Scenario;
  readonly profile: Profile;
  /** The second actor runs before this call of the main one, counted from 1. */
  readonly betweenAt?: number;
  readonly fault?: { readonly call: number; readonly code: string };
  /** Each actor has a host of its own, whose beliefs about the disk are as old as they may be. */
  readonly isOverNetwork?: boolean;
};

/** In virtual milliseconds; but for timers no time goes by in a small case. */
const STALE_MS = 3000;

/** Longer than any lease. */
const STOPPED_MS = 100_000;
/** What is promised only as long as nobody loses a lock: GUARANTEES.md, conditions. */
export const NEED_LOCKS = ['single', 'once', 'late', 'order', 'gaps'] as const;

export type Found = {
  readonly layout: string;
  readonly case: string;
  readonly at: string;
  readonly violations: readonly Violation[];
};

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
  readonly #powerCuts: boolean;
  #before = '';
  #count = 0;
  #moment = 0;

  constructor(explorer: Explorer, seen: Set<string>, powerCuts: boolean) {
    this.#explorer = explorer;
    this.#seen = seen;
    this.#powerCuts = powerCuts;
  }

  look(disk: Disk, history: History, next: string): void {
    const { tally } = this.#explorer;
    this.#moment += 1;
    tally.moments += 1;
    const versions = `${disk.version} ${history.version}`;
    if (versions !== this.#before) {
      this.#before = versions;
      const { images, cut } = crashImages(disk, this.#explorer.layout.notes);
      if (cut) tally.cut += 1;
      this.#count = images.length;
      const after = history.afterCrash(this.#powerCuts);
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
  const [disk, before] = await preparedDisk(layout, one);
  const history = one.scenario.mainStops ? before.promisingLess(NEED_LOCKS) : before;
  const powerCuts = one.profile !== 'lasting';
  const moments = new Moments(explorer, seen[0] ?? new Set(), powerCuts);
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
      if (process.label === 'onlooker') return;
      trace?.(`${process.label}: ${call.name} ${call.path}`);
      if (process.label === 'main') calls += 1;
      if (failed) moments.look(disk, history, `${process.label}'s ${call.name} ${call.path}`);
    },
    fault: (process, call) => {
      if (process.label !== 'main' || calls !== one.fault?.call) return undefined;
      failed = true;
      return faultNamed(one.fault.code, call);
    },
    interlude: (process) => {
      if (process.label !== 'main' || calls + 1 !== one.betweenAt || between !== undefined) return undefined;
      if (one.scenario.mainDies) world.end(process, { kind: 'signaled', signal: 9 });
      if (one.scenario.mainStops) {
        world.nowMs += STOPPED_MS;
        world.locks.loseAllOf(process.host.name);
      }
      between = one.scenario.mainDies
        ? whatWasGoingOn().then(() => {
            history.actorDied();
            return actor('between', one.scenario.between);
          })
        : actor('between', one.scenario.between);
      void between.then(told);
      return one.scenario.mainDies ? NEVER : between;
    },
  });
  const hosts = await hostsFor(world, disk, explorer, one);
  const actor = async (label: keyof typeof hosts, act: Scenario['between']) => {
    const machine = machineFor(world, world.newProcess(hosts[label], label), undefined, explorer.wrap);
    await act?.(layout, machine, history);
  };
  const main = actor('main', one.scenario.main);
  if (one.scenario.mainDies && one.betweenAt !== undefined) await Promise.race([main, dead]);
  else await main;
  moments.look(disk, history, 'anything else');
  world.over();
  if (history.violations.length > 0) {
    return {
      calls,
      found: { layout: layout.name, case: caseName(one), at: 'no crash', violations: history.violations },
    };
  }
  const whole = {
    image: wholeImage(disk),
    history: history.afterCrash(false),
    at: 'the end, without a power cut',
  };
  const found = await recoverAll(explorer, one, [whole, ...moments.states], seen, 1);
  return { calls, found };
}

/** Over the network somebody has just looked at the queue from every host, so that each has beliefs about it. */
/** What had been told of a call before its process died goes as far as the next call; nothing of it happens later. */
function whatWasGoingOn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function hostsFor(world: World, disk: Disk, { layout }: Explorer, { isOverNetwork, scenario }: Case) {
  if (!isOverNetwork) {
    const host = { name: 'host', disk };
    return { main: host, between: scenario.mainStops ? { name: 'other', disk } : host };
  }
  const hostNamed = async (name: string): Promise<SimHost> => {
    const host = { name, disk, mount: new Mount({ now: () => world.nowMs, staleMs: STALE_MS }) };
    await lookAround(machineFor(world, world.newProcess(host, 'onlooker')), layout);
    return host;
  };
  return { main: await hostNamed('host'), between: await hostNamed('other') };
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
    const moments = again
      ? new Moments(explorer, seen[depth] ?? new Set(), one.profile !== 'lasting')
      : undefined;
    const world = new World({
      mode: 'direct',
      seed: depth + 1,
      firstPid: 1000 * depth,
      before: (process, call) => {
        explorer.trace?.(`  ${process.label} ${depth}: ${call.name} ${call.path}`);
        moments?.look(disk, history, `${call.name} ${call.path}`);
      },
    });
    // Without a power cut it is the host that it was, and sees at once who has died on it.
    const host = { name: 'host', disk, bootId: one.profile === 'lasting' ? 'host' : `boot ${depth}` };
    const process = world.newProcess(host, 'recovery');
    await recoverAndCheck(explorer.layout, machineFor(world, process, undefined, explorer.wrap), history);
    world.over();
    if (history.violations.length > 0) {
      explorer.trace?.(describeImage(image).join('\n'));
      return { layout: explorer.layout.name, case: caseName(one), at, violations: history.violations };
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
  if (scenario.withoutQueue) {
    const history = new History();
    history.created = false;
    return [new Disk(profile), history];
  }
  const key = `${layout.name} ${scenario.jobsBefore} ${scenario.wayBefore}`;
  const prepared = preparedQueues.get(key) ?? prepare(layout, scenario);
  preparedQueues.set(key, prepared);
  const { image, history } = await prepared;
  return [diskFrom(image, profile), history.afterCrash()];
}

async function prepare(layout: Layout, { jobsBefore, wayBefore }: Scenario): Promise<Prepared> {
  const disk = new Disk('weak');
  const history = new History();
  const world = new World({ mode: 'direct', seed: 0, firstPid: 10 });
  const machine = machineFor(world, world.newProcess({ name: 'host', disk }, 'setup'));
  await layout.create(machine);
  const labels =
    typeof jobsBefore === 'number'
      ? Array.from({ length: jobsBefore }, (_, at) => `before-${at + 1}`)
      : jobsBefore;
  for (const label of labels) await addAndTell(layout, machine, history, payloadOf(label), wayBefore);
  return { image: wholeImage(disk), history };
}

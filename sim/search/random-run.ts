/**
 * One random run: actors on a machine with trouble, power cuts in between, and at the end a recovery without any.
 *
 *     epoch    adders add, processors work again and again; some are killed and started anew; calls fail
 *     cut      all processes die, and the disk is one of those that can remain; or, in the last epoch, the actors
 *              that are left are killed and what they started must end by itself
 *     check    the queue is recovered and must keep all that it has promised
 *
 * Hosts share one disk, whose power is that of the first: when it is cut, the others lose their mount and are started
 * anew too. A host of its own can lose its power alone: its processes die, the disk stays. Over `nfs` each sees the
 * disk through its own cache, has its own time of day, and can be cut off for a while. With `sync` the adders have a
 * disk of their own, and a tool carries their jobs.
 */

import { addAllAndTell, addAndTell, lookAround, observerOf, recoverAndCheck } from '../checker.ts';
import { History, type Payload, type Violation } from '../history.ts';
import type { Layout, Observer, Runner } from '../layouts/layout.ts';
import { describeImage, diskFrom, randomImage, wholeImage } from '../machine/crash.ts';
import { Disk } from '../machine/disk.ts';
import { machineFor, type Wrap } from '../machine/machine.ts';
import { Mount } from '../machine/mount.ts';
import { start } from '../machine/processes.ts';
import { type Chance, chance, TraceHash } from '../machine/random.ts';
import { type SimHost, type SimProcess, World } from '../machine/world.ts';
import { JOB_COMMAND, programsFor, type RunKind } from '../programs.ts';
import { NEED_LOCKS } from './explore.ts';
import { faultFor } from './faults.ts';
import type { Plan } from './plan.ts';
import { carry, carryAll } from './sync-tool.ts';

export type RandomRun = {
  readonly layout: Layout;
  readonly wrap?: Wrap;
  readonly seed: number;
  readonly plan: Plan;
  readonly trace?: (line: string) => void;
};

export type Outcome = {
  readonly violations: readonly Violation[];
  /** Two runs with one hash were the same, step by step. */
  readonly hash: string;
  readonly steps: number;
};

/** What is left of an epoch gets so many turns to end by itself. */
const LAST_TURNS = 4000;
/** How long a processor waits before it looks again. */
const AGAIN_MS = 50;
/** How long a host may be cut off before the server gives its locks to others. */
const LEASE_MS = 100;
const CUT_OFF_MS = [20, 150, 400] as const;

export async function randomRun(run: RandomRun): Promise<Outcome> {
  const { layout, plan, seed } = run;
  const dice = chance(seed).branch(2);
  const trace = new TraceHash();
  let history = new History(keepsLocks(run) ? [] : NEED_LOCKS);
  let disk = await newQueue(plan, layout.create);
  let senderDisk = plan.network === 'sync' ? await newQueue(plan, layout.createSender) : disk;
  let steps = 0;
  for (let epoch = 0; epoch <= plan.powerCuts; epoch++) {
    const last = epoch === plan.powerCuts;
    const world = await runEpoch(run, { disk, senderDisk }, history, epoch, last);
    trace.add(world.trace.value);
    steps += world.steps;
    if (history.violations.length > 0) break;
    run.trace?.(last ? 'the end' : 'power cut');
    const remains = (of: Disk) => {
      const image = last ? wholeImage(of) : randomImage(of, dice);
      for (const line of describeImage(image)) run.trace?.(`  ${line}`);
      return diskFrom(image, plan.profile);
    };
    const shared = senderDisk === disk;
    disk = remains(disk);
    senderDisk = shared ? disk : remains(senderDisk);
    history = history.afterCrash(!last);
  }
  if (history.violations.length === 0) {
    if (senderDisk !== disk) carryAll({ from: senderDisk, to: disk, directory: layout.arrivals });
    const world = new World({ mode: 'direct', seed: seed + 1, firstPid: 90_000 });
    // The last processes were killed, the power stayed on: the host is still the same.
    const host = { name: 'host-0', disk, bootId: `host-0 ${plan.powerCuts}` };
    const process = world.newProcess(host, 'recovery');
    await recoverAndCheck(layout, machineFor(world, process, undefined, run.wrap), history);
    world.over();
  }
  trace.add(history.key);
  return { violations: history.violations, hash: trace.value, steps };
}

async function newQueue(plan: Plan, create: Layout['create']): Promise<Disk> {
  const disk = new Disk(plan.profile);
  const world = new World({ mode: 'direct', seed: 0, firstPid: 10 });
  await create(machineFor(world, world.newProcess({ name: 'host-0', disk }, 'setup')));
  return diskFrom(wholeImage(disk), plan.profile);
}

async function runEpoch(
  run: RandomRun,
  { disk, senderDisk }: { readonly disk: Disk; readonly senderDisk: Disk },
  history: History,
  epoch: number,
  last: boolean,
): Promise<World> {
  const { plan } = run;
  const dice = chance(run.seed).branch(100 + epoch);
  const world = new World({
    mode: 'stepped',
    seed: dice.below(2 ** 32),
    firstPid: 1000 * (epoch + 1),
    localLocks: hasLocalLocks(run),
    before: (process, call) => run.trace?.(`${process.pid} ${process.label}: ${call.name} ${call.path}`),
    fault: (process, call) => (actors.has(process) ? faultFor(call, dice, plan) : undefined),
  });
  const hosts = Array.from({ length: plan.hosts }, (_, at) => hostOf(plan, world, disk, at, epoch));
  // A host whose locks are lost can give a number out twice: adders are where that does not happen.
  const senders =
    senderDisk !== disk
      ? [{ name: 'sender', disk: senderDisk }]
      : !keepsLocks(run) || hasLocalLocks(run)
        ? hosts.slice(0, 1)
        : hosts;
  const actors = new Set<SimProcess>();
  const launch = actorsOf(run, world, history, dice, actors);
  for (let at = 0; at < plan.adders; at++) launch.adder(dice.pick(senders), `${epoch}.${at}`);
  const workers = run.layout.isShared ? plan.workers : plan.processors;
  for (let at = 0; at < workers; at++) launch.processor(dice.pick(hosts));
  const others = new Set<SimProcess>();
  const other = (host: SimHost, label: string, main: (process: SimProcess) => Promise<number>) => {
    const process = world.newProcess(host, label);
    others.add(process);
    start(world, process, () => main(process));
    return process;
  };
  if (plan.onlookers > 0)
    for (const host of hosts) other(host, 'onlooker', onlooker(world, run.layout, dice));
  const [firstHost, ...moreHosts] = hosts;
  if (firstHost === undefined) throw new Error('a plan has at least one host');
  if (senderDisk !== disk) {
    const route = { from: senderDisk, to: disk, directory: run.layout.arrivals };
    other(firstHost, 'sync tool', (process) => carry(world, process, route, dice, plan.deletes > 0));
  }
  if (run.layout.isShared && plan.pauses > 0) other(firstHost, 'operator', pausing(world, run.layout, dice));
  const network = world.newProcess(firstHost, 'network');
  others.add(network);

  const turn = () => {
    if (history.violations.length > 0) return true;
    const victims = [...actors].filter(isKillable);
    if (victims.length > 0 && dice.flip(plan.kills / 1000)) {
      const victim = dice.pick(victims);
      const whole = victim.host !== firstHost && dice.flip(0.3);
      kill(world, whole ? world.processes.filter(({ host }) => host === victim.host) : [victim]);
      launch.processor(dice.pick(hosts));
    }
    if (moreHosts.length > 0 && dice.flip(plan.cutOffs / 1000)) {
      cutOff(world, network, dice.pick(moreHosts), dice.pick(CUT_OFF_MS), plan.losesLocks > 0);
    }
    return false;
  };
  await world.run(turn, plan.turns);
  if (!last) {
    kill(world, world.processes);
    return world;
  }
  for (const host of hosts) host.isCutOff = false;
  kill(world, [...others]);
  const leave = () => {
    kill(world, [...actors].filter(isKillable));
    return history.violations.length > 0 || world.processes.every(({ alive }) => !alive);
  };
  await world.run(leave, LAST_TURNS);
  if (history.violations.length === 0 && history.alive > 0) {
    history.broken('single', 'a run goes on, though its worker is long dead');
  }
  return world;
}

/** Whether a lock that is held is held, and seen by all. */
function keepsLocks(run: RandomRun): boolean {
  const { losesLocks, cutOffs } = run.plan;
  return losesLocks === 0 && !(hasLocalLocks(run) && cutOffs > 0);
}

/** Whether each host sees its own locks only, and leases are all that others have. */
function hasLocalLocks({ plan, layout }: RandomRun): boolean {
  return layout.isShared === true && layout.claimsByLock !== true && plan.localLocks > 0;
}

function hostOf(plan: Plan, world: World, disk: Disk, at: number, epoch: number): SimHost {
  const name = `host-${at}`;
  const bootId = `${name} ${epoch}`;
  const skewSeconds = at === 0 ? 0 : world.chance.below(2 * plan.skew + 1) - plan.skew;
  if (plan.network !== 'nfs') return { name, bootId, disk, skewSeconds };
  const mount = new Mount({
    now: () => world.nowMs,
    staleMs: plan.staleMs,
    chance: world.chance.branch(-at),
  });
  return { name, bootId, disk, mount, skewSeconds };
}

/** A host has no network for a while; after the lease its locks are others' to take, and it is not told. */
function cutOff(world: World, network: SimProcess, host: SimHost, forMs: number, losesLocks: boolean): void {
  if (host.isCutOff) return;
  host.isCutOff = true;
  if (losesLocks && forMs > LEASE_MS) {
    world.after(network, LEASE_MS, () => world.locks.loseAllOf(host.name));
  }
  world.after(network, forMs, () => {
    host.isCutOff = false;
  });
}

function onlooker(world: World, layout: Layout, dice: Chance) {
  return async (process: SimProcess): Promise<number> => {
    const machine = machineFor(world, process);
    for (;;) {
      await lookAround(machine, layout);
      await new Promise<void>((resolve) => void machine.clock.after(dice.pick([10, 500]), resolve));
    }
  };
}

/** Somebody who stops the queue for a while, and lets it go on. */
function pausing(world: World, layout: Layout, dice: Chance) {
  return async (process: SimProcess): Promise<number> => {
    const machine = machineFor(world, process);
    for (;;) {
      for (const act of [layout.pause, layout.resume]) {
        await act?.(machine);
        await new Promise<void>((resolve) => void machine.clock.after(dice.pick([5, 60, 300]), resolve));
      }
    }
  };
}

/**
 * Between the start of a command and the note to the watchdog nobody guards it: src/worker/watchdog.ts says so, and
 * it is not looked for here. A worker of several has a note for each.
 */
function isKillable({ alive, lastCall, descriptors }: SimProcess): boolean {
  if (!alive || lastCall === 'spawn') return false;
  for (const { target } of descriptors.values()) {
    if (target.kind !== 'node' || target.path !== 'scratch' || target.node.kind !== 'file') continue;
    if (target.node.content[0] === STARTING) return false;
  }
  return true;
}

/** The note of a watchdog whose command is about to be started: `starting`. */
const STARTING = 's'.charCodeAt(0);

function kill(world: World, victims: readonly SimProcess[]): void {
  for (const victim of victims) world.end(victim, { kind: 'signaled', signal: 9 });
}

function actorsOf(
  { layout, layout: { isShared = false }, plan, wrap }: RandomRun,
  world: World,
  history: History,
  dice: Chance,
  actors: Set<SimProcess>,
) {
  const observer = observerOf(history);
  const kinds: RunKind[] = plan.longRuns > 0 ? ['quick', 'slow', 'stubborn', 'never'] : ['quick'];
  const runs = { kinds, failShare: plan.failingRuns / 1000 };
  const programs = programsFor(observer, dice, runs);
  const begin = (host: SimHost, label: string, main: (process: SimProcess) => Promise<number>) => {
    const process = world.newProcess(host, label);
    actors.add(process);
    process.onExit.push(() => actors.delete(process));
    start(world, process, () => main(process));
  };
  return {
    adder: (host: SimHost, label: string) =>
      begin(host, 'adder', async (process) => {
        const machine = machineFor(world, process, programs, wrap);
        const payloads: Payload[] = [];
        for (let at = 0; at < plan.addsEach; at++) {
          const payload = `job ${isShared ? dice.pick(KINDS) : ''}${label}.${at}: all of its bytes!`;
          process.onExit.push(() => history.addBroken(payload));
          payloads.push(payload);
        }
        if (isShared && plan.batches > 0) await addAllAndTell(layout, machine, history, payloads);
        else for (const payload of payloads) await addAndTell(layout, machine, history, payload);
        return 0;
      }),
    processor: (host: SimHost) =>
      begin(host, 'processor', async (process) => {
        const machine = machineFor(world, process, programs, wrap);
        for (;;) {
          try {
            await layout.work(machine, runnerFor(plan, observerIn(process, observer)));
          } catch {
            // Locked, or a call that failed: as cron would, it tries again later.
          }
          await new Promise<void>((resolve) => void machine.clock.after(AGAIN_MS, resolve));
        }
      }),
  };
}

/** Of jobs in a queue that is shared: see layouts/home.ts. */
const KINDS = ['', '', '', '~', '!', 'red/', 'red/', 'red/~', 'red/!', 'blue/'] as const;

function runnerFor(plan: Plan, observer: Observer): Runner {
  const { concurrency, leaseMs } = plan;
  const manner = { concurrency, leaseMs, keepsWaiting: plan.keepsWaiting > 0, isPatient: false };
  if (plan.commands === 0) return { kind: 'function', observer, manner };
  return { kind: 'command', program: JOB_COMMAND, observer, manner };
}

/** Runs within a worker's own process end with it. */
function observerIn(process: SimProcess, observer: Observer): Observer {
  return {
    ...observer,
    started: (place, payload) => {
      const run = observer.started(place, payload);
      process.onExit.push(() => observer.ended(run, false));
      return run;
    },
  };
}

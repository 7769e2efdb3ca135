/**
 * Hosts, processes, time, and whose turn it is.
 *
 * A world is in one of two modes:
 *
 *   stepped  each port call is a step that waits for its turn; between two steps of one process any other may run.
 *            `run` gives the turns, and time moves by a little with each and to the next timer when all wait.
 *   direct   one process at a time: each call is made at once. The same calls with the same effects, many times
 *            faster, which is what a search through all crash states needs. Time moves only when all wait for it.
 *
 * A process: running -> dead, when its main function returns, a signal ends it, or its host loses power. The steps
 * and timers of a dead process are dropped, so its code never goes on; its descriptors are closed, so its locks go
 * with the last heir.
 */

import type { Exit, Step } from '../../src/os/ports.ts';
import type { Disk } from './disk.ts';
import { errno } from './errno.ts';
import type { Mount } from './mount.ts';
import { LockTable, type OpenFile } from './open-file.ts';
import { type Chance, chance, TraceHash } from './random.ts';
import { WatchTable } from './watch-table.ts';

export type Call = { readonly name: string; readonly path: string };

export type SimHost = {
  readonly name: string;
  readonly disk: Disk;
  /** The cache it sees the disk through; left out: the disk is its own. */
  readonly mount?: Mount;
  /** Tells this run of its kernel from all others; left out: it is never started anew. */
  readonly bootId?: string;
  /** How far its clock is wrong. */
  readonly skewSeconds?: number;
  /** Its network is down: its processes wait for the disk, as they do on a hard mount. */
  isCutOff?: boolean;
};

/** How a call fails: without having done anything, or (`lost`) after the server did it and its reply got lost. */
export type Fault = { readonly code: string; readonly lost?: boolean };

export type StepOptions = {
  /** It would block until then. */
  readonly ready?: () => boolean;
  /** What a failing call does all the same. */
  readonly failed?: () => void;
  /** What the server does when only its reply gets lost. Left out: a reply of this call does not get lost. */
  readonly lost?: () => void;
};

export type SimProcess = {
  readonly pid: number;
  readonly group: number;
  readonly host: SimHost;
  readonly label: string;
  readonly descriptors: Map<number, OpenFile>;
  readonly handlers: Map<string, Set<() => void>>;
  readonly chance: Chance;
  alive: boolean;
  /** What it asked the machine last, but for what goes on aside. */
  lastCall: string;
  readonly onExit: ((exit: Exit) => void)[];
};

type Pending = {
  readonly process: SimProcess;
  readonly call: Call;
  readonly ready: () => boolean;
  readonly take: () => void;
};
type Timer = {
  readonly atMs: number;
  readonly order: number;
  readonly process: SimProcess;
  readonly action: () => void;
};

export type WorldOptions = {
  readonly mode: 'direct' | 'stepped';
  readonly seed?: number;
  /** Told before each call; what it throws, the call fails with. */
  readonly before?: (process: SimProcess, call: Call) => void;
  /** How this call is to fail. */
  readonly fault?: (process: SimProcess, call: Call) => Fault | undefined;
  /** In direct mode: what happens, as a whole, before this call. */
  readonly interlude?: (process: SimProcess, call: Call) => Promise<void> | undefined;
  readonly firstPid?: number;
  /** Each host sees its own locks only. */
  readonly localLocks?: boolean;
};

/** A step takes so long, in milliseconds of virtual time. */
const STEP_MS = 0.05;
const START_SECONDS = 1_700_000_000n;

export class World {
  readonly mode: 'direct' | 'stepped';
  readonly chance: Chance;
  readonly locks: LockTable;
  readonly watches = new WatchTable((process, path, action) => this.#deliver(process, path, action));
  readonly trace = new TraceHash();
  readonly processes: SimProcess[] = [];
  nowMs = 0;
  steps = 0;
  readonly #before: WorldOptions['before'];
  readonly #fault: WorldOptions['fault'];
  readonly #interlude: WorldOptions['interlude'];
  #pending: Pending[] = [];
  #timers: Timer[] = [];
  #ringing = false;
  #pids: number;
  #orders = 0;

  constructor({ mode, seed = 1, before, fault, interlude, firstPid = 100, localLocks }: WorldOptions) {
    this.mode = mode;
    this.locks = new LockTable(localLocks);
    this.chance = chance(seed);
    this.#before = before;
    this.#fault = fault;
    this.#interlude = interlude;
    this.#pids = firstPid;
  }

  /** A process without code yet; in a group of its own unless told. */
  newProcess(host: SimHost, label: string, group?: number): SimProcess {
    this.#pids += 1;
    const pid = this.#pids;
    const nowhere = (): OpenFile => ({
      host: host.name,
      target: { kind: 'nowhere' },
      writable: true,
      position: 0,
      holders: 1,
    });
    const made: SimProcess = {
      pid,
      group: group ?? pid,
      host,
      label,
      descriptors: new Map([0, 1, 2].map((number) => [number, nowhere()])),
      handlers: new Map(),
      chance: this.chance.branch(pid),
      alive: true,
      lastCall: '',
      onExit: [],
    };
    this.processes.push(made);
    return made;
  }

  /** One call to the machine. */
  step<T>(process: SimProcess, call: Call, action: () => T, options: StepOptions = {}): Step<T> {
    const { ready = always, failed, lost } = options;
    const perform = () => {
      this.#before?.(process, call);
      const fault = this.#fault?.(process, call);
      if (fault === undefined || (fault.lost && lost === undefined)) return action();
      if (fault.lost) lost?.();
      else failed?.();
      throw errno(fault.code, call.name, call.path);
    };
    if (this.mode === 'direct') {
      if (!process.alive) return NEVER as Promise<T>;
      return this.#interlude?.(process, call)?.then(perform) ?? perform();
    }
    return new Promise<T>((resolve, reject) => {
      if (!process.alive) return;
      const take = () => {
        if (!call.name.endsWith('Aside')) process.lastCall = call.name;
        try {
          const result = perform();
          if (process.alive) resolve(result);
        } catch (error) {
          if (process.alive) reject(error);
        }
      };
      this.#pending.push({ process, call, ready, take });
    });
  }

  /** Something that comes to a process by itself, some time soon. */
  #deliver(process: SimProcess, path: string, action: () => void): void {
    const take = () => {
      if (process.alive) action();
    };
    if (this.mode === 'direct') void Promise.resolve().then(take);
    else this.#pending.push({ process, call: { name: 'event', path }, ready: always, take });
  }

  after(process: SimProcess, ms: number, action: () => void): () => void {
    if (!process.alive) return () => {};
    this.#orders += 1;
    const timer: Timer = { atMs: this.nowMs + ms, order: this.#orders, process, action };
    this.#timers.push(timer);
    if (this.mode === 'direct') this.#ringSoon();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** When nothing else can go on any more, which in direct mode is when the promises have come to rest. */
  #ringSoon(): void {
    if (this.#ringing) return;
    this.#ringing = true;
    setImmediate(() => {
      this.#ringing = false;
      if (!this.#sleep()) return;
      this.#ringOne();
      if (this.#timers.length > 0) this.#ringSoon();
    });
  }

  #ringOne(): void {
    const [first] = this.#timers.filter(({ atMs }) => atMs <= this.nowMs).sort(byTime);
    if (first === undefined) return;
    this.#timers = this.#timers.filter((timer) => timer !== first);
    if (first.process.alive) first.action();
  }

  /** Nobody lives here any more: no timer goes off. */
  over(): void {
    for (const process of this.processes) process.alive = false;
    this.#timers = [];
  }

  now({ skewSeconds = 0 }: SimHost) {
    const ms = Math.floor(this.nowMs);
    const seconds = START_SECONDS + BigInt(Math.floor(ms / 1000) + skewSeconds);
    return { seconds, nanos: (ms % 1000) * 1_000_000 };
  }

  end(process: SimProcess, exit: Exit): void {
    if (!process.alive) return;
    process.alive = false;
    this.trace.add(`end ${process.pid} ${JSON.stringify(exit)}\n`);
    this.#pending = this.#pending.filter((step) => step.process !== process);
    this.#timers = this.#timers.filter((timer) => timer.process !== process);
    for (const file of process.descriptors.values()) this.letGo(file);
    process.descriptors.clear();
    this.watches.forget(process);
    for (const tell of process.onExit) tell(exit);
  }

  letGo(file: OpenFile): void {
    file.holders -= 1;
    if (file.holders > 0) return;
    this.locks.unlock(file);
    if (file.target.kind !== 'pipe') return;
    if (file.target.end === 'read') file.target.pipe.readers -= 1;
    else file.target.pipe.writers -= 1;
  }

  /** Gives turns until `stop` says so or nothing is left that could ever move. True: it was `stop`. */
  async run(stop: () => boolean, maxSteps: number): Promise<boolean> {
    for (let taken = 0; taken < maxSteps; taken++) {
      await quiet();
      if (stop()) return true;
      this.#ring();
      await quiet();
      const able = this.#pending.filter((step) => reachesServer(step) && step.ready());
      if (able.length === 0) {
        if (!this.#sleep()) return stop();
        continue;
      }
      const chosen = this.chance.pick(able);
      this.#pending = this.#pending.filter((step) => step !== chosen);
      this.nowMs += STEP_MS;
      this.steps += 1;
      this.trace.add(`${chosen.process.pid} ${chosen.call.name} ${chosen.call.path}\n`);
      chosen.take();
    }
    return false;
  }

  #ring(): void {
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
    due.sort(byTime);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { process, action } of due) if (process.alive) action();
  }

  /** To the next timer. */
  #sleep(): boolean {
    if (this.#timers.length === 0) return false;
    this.nowMs = Math.max(this.nowMs, Math.min(...this.#timers.map(({ atMs }) => atMs)));
    return true;
  }
}

const always = () => true;
/** What a dead process waits for. */
const NEVER = new Promise<never>(() => {});

function byTime(a: Timer, b: Timer): number {
  return a.atMs - b.atMs || a.order - b.order;
}

/** A host that is cut off waits for its disk; what it has of its own (pipes, children, time) goes on. */
function reachesServer({ process, call }: Pending): boolean {
  if (!process.host.isCutOff) return true;
  return !call.path.startsWith('/') && !call.name.endsWith('ock');
}

/** Until every promise that can go on has: only port calls make anybody wait, and they wait for a turn. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

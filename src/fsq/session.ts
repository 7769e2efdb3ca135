/**
 * Working a queue, beside others of any kind: each item is taken by its own lock, so nobody has to know of anybody.
 *
 *   open      `claim` goes through what waited when it last looked, oldest first, and takes the first item that nobody
 *             has; at the end it looks again
 *   closed    claims that are not settled are given back
 *
 * What cannot be an item is moved to fail/ with a note why; so is one that is older than FSQ_TTL, and one that was tried
 * too often. FSQ_MAX_TRIES is not looked at: that is for `scan`, and workers have a limit of their own.
 */

import type { Machine } from '../os/ports.ts';
import { Changes, POLL_MS } from '../queue/changes.ts';
import type { JoinOptions, SharedClaim, SharedIdle, SharedSession, Unreadable } from '../queue/contract.ts';
import { namesAreOurs } from '../queue/refresh-names.ts';
import { SharedSync } from '../queue/shared-sync.ts';
import { Turns } from '../queue/turns.ts';
import { counted } from '../queue/words.ts';
import { type ClaimParts, claimOf } from './claim.ts';
import type { Constants } from './constants.ts';
import { Course } from './course.ts';
import { countTheDead, InHand } from './in-hand.ts';
import type { Item } from './item-name.ts';
import { type Listed, listWaiting } from './listing.ts';
import { type NoteKind, notedNames, untilOf } from './notes.ts';
import { isDown, join, type Place } from './place.ts';
import { refuse, refuseMalformed, tooOld, whyDeadly } from './refuse.ts';
import { nowMs } from './run-notes.ts';
import { letGo, type Taken } from './take.ts';

const DEFAULT_MAX_STARTS = 5;

export async function joinQueue(
  machine: Machine,
  place: Place,
  constants: Constants,
  options: JoinOptions,
): Promise<FsqSession> {
  const session = new FsqSession(machine, place, constants, options);
  await session.begin();
  return session;
}

export class FsqSession implements SharedSession {
  readonly fenced: AbortSignal = new AbortController().signal;
  readonly #machine: Machine;
  readonly #place: Place;
  readonly #constants: Constants;
  readonly #options: JoinOptions;
  readonly #parts: ClaimParts;
  readonly #changes: Changes;
  readonly #inHand = new Map<string, SharedClaim>();
  readonly #until = new Map<string, number>();
  #held: ReadonlySet<string> = new Set();
  /** Those of which there may be other notes. */
  #noted: Readonly<Record<Exclude<NoteKind, 'held'>, ReadonlySet<string>>> = {
    until: new Set(),
    died: new Set(),
  };
  #unreadable: Unreadable[] = [];
  #list: readonly Listed[] = [];
  #course: Course;
  #areNamesOurs = false;
  #listedAtMs = Number.NEGATIVE_INFINITY;
  /** One call of `claim` after the other. */
  readonly #turns = new Turns();
  #closed = false;

  constructor(machine: Machine, place: Place, constants: Constants, options: JoinOptions) {
    this.#machine = machine;
    this.#place = place;
    this.#constants = constants;
    this.#options = options;
    this.#changes = new Changes(machine);
    this.#course = this.#courseThrough([]);
    this.#parts = {
      machine,
      place,
      sync: new SharedSync(machine.files),
      keepSucceeded: options.keepSucceeded ?? false,
      inHand: new InHand(machine, place),
      onSettled: (claim, again) => {
        for (const [name, held] of this.#inHand) if (held === claim) this.#inHand.delete(name);
        if (again !== undefined) this.#waitsAgain(again);
        this.#changes.tell();
      },
    };
  }

  get unreadable(): readonly Unreadable[] {
    return this.#unreadable;
  }

  async begin(): Promise<void> {
    this.#areNamesOurs = await namesAreOurs(this.#machine.files, this.#place.waiting);
    if (this.#options.watch === true) await this.#changes.watch(this.#place.waiting);
  }

  claim(): Promise<SharedClaim | SharedIdle> {
    return this.#turns.next(() => this.#claimNext());
  }

  async changed(atMostMs: number, signal: AbortSignal): Promise<void> {
    const { areTold, isStale, pollMs } = this.#changes;
    if (signal.aborted || this.#closed || (areTold && isStale)) return;
    const waitMs = Math.min(atMostMs, pollMs, this.#nextDueMs() - nowMs(this.#machine));
    await this.#changes.wait(waitMs, signal);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#changes.end();
    await this.#turns.over();
    try {
      for (const claim of [...this.#inHand.values()]) await claim.release();
    } finally {
      await this.#parts.sync.close();
      await this.#parts.inHand.end();
    }
  }

  async #claimNext(): Promise<SharedClaim | SharedIdle> {
    if (this.#closed) throw new Error(`${this.#place.directory}: the session is closed`);
    for (let looks = 0; ; looks++) {
      if (await isDown(this.#machine, this.#place)) {
        if (looks === 0 && this.#changes.isStale) await this.#look();
        return { kind: 'idle', reason: 'paused', waiting: this.#list.length - this.#inHand.size };
      }
      const claim = await this.#claimFromList();
      if (claim !== undefined) return claim;
      if (looks > 0 || this.#isFresh()) return this.#idle();
      await this.#look();
    }
  }

  /** We were told of no change since we have looked, and would be. */
  #isFresh(): boolean {
    const ageMs = this.#machine.clock.monotonicMs() - this.#listedAtMs;
    const { areTold, isStale } = this.#changes;
    return areTold && !isStale && ageMs < POLL_MS / 2 && !this.#isAnyDue();
  }

  async #look(): Promise<void> {
    this.#changes.beginLook();
    this.#listedAtMs = this.#machine.clock.monotonicMs();
    await countTheDead(this.#machine, this.#place, this.#constants);
    const { items, malformed } = await listWaiting(this.#machine, this.#place, this.#constants);
    this.#unreadable = [];
    for (const one of malformed) {
      const refused = await refuseMalformed(this.#parts, one.entry, one.message);
      if (refused !== undefined) this.#unreadable.push(refused);
    }
    this.#list = items;
    this.#course = this.#courseThrough(items);
    await this.#readNotes();
  }

  #courseThrough(items: readonly Listed[]): Course {
    return new Course(this.#machine, this.#place.waiting, items, { areNamesOurs: this.#areNamesOurs });
  }

  async #readNotes(): Promise<void> {
    this.#held = new Set(await notedNames(this.#machine, this.#place, 'held'));
    const noted = new Set(await notedNames(this.#machine, this.#place, 'until'));
    this.#noted = { until: noted, died: new Set(await notedNames(this.#machine, this.#place, 'died')) };
    // Those that we know and could not note are kept until they are due.
    for (const [name, ms] of this.#until) if (ms <= nowMs(this.#machine)) this.#until.delete(name);
    for (const { item } of this.#list) {
      if (!noted.has(item.name)) continue;
      const ms = await untilOf(this.#machine, this.#place, item.name);
      if (ms > nowMs(this.#machine)) this.#until.set(item.name, ms);
    }
  }

  async #claimFromList(): Promise<SharedClaim | undefined> {
    for (;;) {
      const listed = await this.#course.next();
      if (listed === undefined) return undefined;
      const { name } = listed.item;
      if (this.#inHand.has(name) || this.#waits(name)) continue;
      const claim = await this.#take(listed);
      if (claim !== undefined) return claim;
      if (await isDown(this.#machine, this.#place)) return undefined;
    }
  }

  async #take(listed: Listed): Promise<SharedClaim | undefined> {
    const { item } = listed;
    const taken = await this.#course.take(listed);
    if (taken.kind === 'unreadable') {
      const { message } = taken;
      this.#unreadable.push({ path: join(this.#place.waiting, item.name), message });
    }
    if (taken.kind !== 'taken') return undefined;
    try {
      const notes = (['until', 'died'] as const).filter((kind) => this.#noted[kind].has(item.name));
      const reason = await this.#whyNot(taken, item, notes);
      if (reason === undefined) {
        const slot = await this.#parts.inHand.take(item.name);
        return this.#give(taken, claimOf(this.#parts, taken, { item, notes, slot }));
      }
      const refused = { id: item.id, attempt: item.tries, reason };
      await this.#options.onRefused?.({ ...refused, seq: undefined, lane: undefined });
      await refuse(this.#parts, taken, refused);
    } catch (error) {
      await letGo(this.#machine, taken).catch(() => {}); // the first error is the one to tell
      throw error;
    }
    await letGo(this.#machine, taken);
    return undefined;
  }

  #give({ name }: Taken, claim: SharedClaim): SharedClaim {
    this.#inHand.set(name, claim);
    return claim;
  }

  async #whyNot(taken: Taken, item: Item, notes: readonly NoteKind[]): Promise<string | undefined> {
    const { maxStarts = DEFAULT_MAX_STARTS, maxDeaths = maxStarts } = this.#options;
    if (taken.fileKind !== 'file') return `it is a ${taken.fileKind}, not a file`;
    if (item.tries >= maxStarts) return `it was tried ${counted(item.tries, 'time')}`;
    const isInDoubt = notes.includes('died');
    const deadly = isInDoubt ? await whyDeadly(this.#machine, this.#place, item, maxDeaths) : undefined;
    return deadly ?? tooOld(this.#machine, this.#constants, item);
  }

  #waits(name: string): boolean {
    return this.#held.has(name) || (this.#until.get(name) ?? 0) > nowMs(this.#machine);
  }

  #nextDueMs(): number {
    return Math.min(...this.#delayed().map(({ untilMs }) => untilMs));
  }

  #isAnyDue(): boolean {
    const now = nowMs(this.#machine);
    return [...this.#until.values()].some((ms) => ms <= now);
  }

  #delayed(): { readonly untilMs: number }[] {
    const now = nowMs(this.#machine);
    return this.#list.flatMap(({ item: { name } }) => {
      const untilMs = this.#until.get(name) ?? 0;
      return untilMs > now && !this.#held.has(name) ? [{ untilMs }] : [];
    });
  }

  #idle(): SharedIdle {
    const delayed = this.#delayed().length;
    const held = this.#list.filter(({ item }) => this.#held.has(item.name)).length;
    const waiting = delayed + held;
    if (delayed > 0) return { kind: 'idle', reason: 'delayed', untilMs: this.#nextDueMs(), waiting };
    if (held > 0) return { kind: 'idle', reason: 'held', jobs: held, waiting };
    return { kind: 'idle', reason: 'empty', waiting };
  }

  /** A job that was given back is in its old place of what we go through. */
  #waitsAgain({ name, untilMs }: { readonly name: string; readonly untilMs: number }): void {
    if (untilMs > 0) this.#until.set(name, untilMs);
    this.#course.returnTo(name);
  }
}

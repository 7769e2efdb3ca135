/**
 * Going through a queue once, as `fsq scan` does: oldest first, each item that nobody else has, by the rules of the
 * constants: FSQ_LOCK, FSQ_MAX_TRIES, FSQ_TTL. Whoever takes an item says what becomes of it.
 *
 *     for await (const work of scan(machine, place, constants, report)) await work.done();
 *
 * Names that are none, items that are too old and items that were tried too often are failed on the way, and told. Those that
 * are held, or not due yet, are passed over: see notes.ts.
 */

import type { Machine } from '../os/ports.ts';
import type { Settled, SharedClaim } from '../queue/contract.ts';
import type { Durability } from '../queue/publish.ts';
import { namesAreOurs } from '../queue/refresh-names.ts';
import { NO_SYNC, SharedSync } from '../queue/shared-sync.ts';
import { counted } from '../queue/words.ts';
import { claimOf, NO_ROOM } from './claim.ts';
import type { Constants } from './constants.ts';
import { Course } from './course.ts';
import { countTheDead, InHand } from './in-hand.ts';
import { type Item, withTries } from './item-name.ts';
import { type Listed, listWaiting } from './listing.ts';
import { type NoteKind, readNotes } from './notes.ts';
import { isDown, join, type Place } from './place.ts';
import { refuse, refuseMalformed, tooOld, whyDeadly } from './refuse.ts';
import { nowMs } from './run-notes.ts';
import type { Mover } from './settle.ts';
import { letGo } from './take.ts';

export type WorkItem = {
  readonly item: Item;
  readonly claim: SharedClaim;
  done(): Promise<Settled>;
  /** For good. */
  fail(reason?: string): Promise<Settled>;
  /** For now: it waits again, or fails for good when that was the last try or it is too old. */
  failTmp(reason?: string): Promise<Settled>;
  /** Leaves it as it was. */
  release(): Promise<Settled>;
};

export type ScanOptions = {
  readonly ignoreDown?: boolean;
  /** An item that was started so often in a row, and each time its scanner died, fails. Default: 5. */
  readonly maxDeaths?: number;
  /** Of what becomes of items. Default: `power-safe`. */
  readonly durability?: Durability;
  /** Told of each item that was failed, or could not be read, and why. */
  readonly onRefused?: (path: string, reason: string) => void | Promise<void>;
};

const DEFAULT_MAX_DEATHS = 5;

export async function* scan(
  machine: Machine,
  place: Place,
  constants: Constants,
  options: ScanOptions = {},
): AsyncGenerator<WorkItem, void> {
  const sync = options.durability === 'crash-safe' ? NO_SYNC : new SharedSync(machine.files);
  const mover: Mover = { machine, place, sync };
  const settling = new Set<Promise<unknown>>();
  const inHand = new InHand(machine, place);
  const scanner = new Scanner(mover, constants, options, { settling, inHand });
  try {
    await countTheDead(machine, place, constants);
    const { items, malformed } = await listWaiting(machine, place, constants);
    for (const { entry, message } of malformed) {
      if (await scanner.isStopped()) return;
      const refused = await refuseMalformed(mover, entry, message, constants);
      if (refused !== undefined) await options.onRefused?.(refused.path, refused.message);
    }
    const { held, until, died } = await readNotes(machine, place);
    const course = new Course(machine, place.waiting, items, {
      lock: constants.lock,
      areNamesOurs: await namesAreOurs(machine.files, place.waiting),
    });
    for (let listed = await course.next(); listed !== undefined; listed = await course.next()) {
      const { name } = listed.item;
      if (held.has(name) || (until.get(name) ?? 0) > nowMs(machine)) continue;
      if (await scanner.isStopped()) return;
      const notes: NoteKind[] = [];
      if (until.has(name)) notes.push('until');
      if (died.has(name)) notes.push('died');
      const work = await scanner.take(course, listed, notes);
      if (work === undefined) continue;
      try {
        yield work;
      } finally {
        await scanner.giveBack();
      }
    }
  } finally {
    await Promise.allSettled(settling); // told to whoever settles
    await scanner.letGo();
    await mover.sync.close();
    await inHand.end();
  }
}

class Scanner {
  readonly #mover: Mover;
  readonly #constants: Constants;
  readonly #options: ScanOptions;
  readonly #settling: Set<Promise<unknown>>;
  readonly #inHand: InHand;
  /** The item that is out, until somebody says what becomes of it. */
  #out: WorkItem | undefined;
  /** Claims that could not be settled. */
  readonly #stuck = new Set<SharedClaim>();

  constructor(
    mover: Mover,
    constants: Constants,
    options: ScanOptions,
    { settling, inHand }: { readonly settling: Set<Promise<unknown>>; readonly inHand: InHand },
  ) {
    this.#mover = mover;
    this.#constants = constants;
    this.#options = options;
    this.#settling = settling;
    this.#inHand = inHand;
  }

  async isStopped(): Promise<boolean> {
    return this.#options.ignoreDown !== true && (await isDown(this.#mover.machine, this.#mover.place));
  }

  async take(course: Course, listed: Listed, notes: readonly NoteKind[]): Promise<WorkItem | undefined> {
    const { machine, place } = this.#mover;
    const { item } = listed;
    const taken = await course.take(listed);
    if (taken.kind === 'unreadable') {
      await this.#options.onRefused?.(join(place.waiting, item.name), taken.message);
    }
    if (taken.kind !== 'taken') return undefined;
    try {
      const reason =
        taken.fileKind === 'file'
          ? await this.#whyRefused(item, notes)
          : `it is a ${taken.fileKind}, not a file`;
      if (reason === undefined) {
        const slot = await this.#inHand.take(item.name);
        const parts = { ...this.#mover, keepSucceeded: false, inHand: this.#inHand, onSettled: () => {} };
        const claim = claimOf(parts, taken, { item, notes, slot });
        this.#out = this.#workOn(claim, item);
        return this.#out;
      }
      await refuse(this.#mover, taken, { id: item.id, attempt: item.tries, reason });
      await this.#options.onRefused?.(join(place.waiting, item.name), reason);
    } catch (error) {
      await letGo(machine, taken).catch(() => {}); // the first error is the one to tell
      throw error;
    }
    await letGo(machine, taken);
    return undefined;
  }

  /** What nobody has settled is as it was. */
  async giveBack(): Promise<void> {
    const out = this.#out;
    this.#out = undefined;
    await out?.release();
  }

  /** Others may have what could not be settled. */
  async letGo(): Promise<void> {
    for (const claim of this.#stuck) await claim.release().catch(() => {}); // why it could not be has been told
  }

  #workOn(claim: SharedClaim, item: Item): WorkItem {
    const settle = (settled: Promise<Settled>): Promise<Settled> => {
      this.#out = undefined;
      this.#settling.add(settled);
      void settled.catch(() => this.#stuck.add(claim)).then(() => this.#settling.delete(settled));
      return settled;
    };
    return {
      item,
      claim,
      done: () => settle(claim.succeed()),
      fail: (reason) => settle(claim.fail(reason)),
      failTmp: (reason = 'it failed for now') => {
        const last = this.#whyLast(item);
        return settle(last === undefined ? claim.retry(0, reason) : claim.fail(`${reason}; ${last}`));
      },
      release: () => settle(claim.release()),
    };
  }

  #whyLast(item: Item): string | undefined {
    const tries = item.tries + 1;
    const tooLong = withTries(item.name, tries) === undefined ? NO_ROOM : undefined;
    if (tooLong !== undefined)
      void this.#options.onRefused?.(join(this.#mover.place.waiting, item.name), tooLong);
    return this.#whyNot({ ...item, tries }) ?? tooLong;
  }

  async #whyRefused(item: Item, notes: readonly NoteKind[]): Promise<string | undefined> {
    const { machine, place } = this.#mover;
    const { maxDeaths = DEFAULT_MAX_DEATHS } = this.#options;
    const deadly = notes.includes('died') ? await whyDeadly(machine, place, item, maxDeaths) : undefined;
    return deadly ?? this.#whyNot(item);
  }

  #whyNot(item: Item): string | undefined {
    const { maxTries } = this.#constants;
    if (maxTries > 0 && item.tries >= maxTries) {
      return `it was tried ${counted(item.tries, 'time')}, and FSQ_MAX_TRIES is ${maxTries}`;
    }
    return tooOld(this.#mover.machine, this.#constants, item);
  }
}

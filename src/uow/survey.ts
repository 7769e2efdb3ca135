/**
 * What waits in a root, in the order in which it is to run, and what is there besides.
 *
 * A file that somebody is writing must not be touched. It is left alone until it is quiet: not changed for a while by the
 * clock of its own time, or (clocks jump) seen unchanged for as long; and as long as an editor has it open.
 */

import { toMs } from '../os/calendar.ts';
import type { FileStatus, Machine } from '../os/ports.ts';
import type { Place } from './config.ts';
import { isPrepared, isShortName } from './prepare.ts';
import { INCOMING, join, QUEUES, type Root } from './root.ts';
import { compareStamps } from './text.ts';
import { type Listed, listQueue, NAME_LIMIT_BYTES, type Seen, type SeenUnit, seeUnit } from './unit-files.ts';

/** Editors that are killed leave their files: after so long nobody believes them. */
const EDITOR_LIMIT_MS = 86_400_000;

export type Waiting = {
  readonly place: (typeof INCOMING)[number];
  readonly name: string;
  readonly path: string;
  readonly seen: SeenUnit;
};

/** Something that is no unit of work; `reason` without a full stop. */
export type Misplaced = { readonly place: Place; readonly name: string; readonly reason: string };

export type Survey = {
  /** Those that can be run, or prepared to be; in their order, and those without a timestamp last. */
  readonly waiting: readonly Waiting[];
  /** In `currently-executing`. */
  readonly current: readonly { readonly name: string; readonly path: string; readonly seen: Seen }[];
  /** Of files that must not be touched yet. */
  readonly restless: readonly Misplaced[];
  /** When the first of them may be quiet, in milliseconds from now. */
  readonly lookAgainMs: number | undefined;
  /** To the trash with these. */
  readonly rubbish: readonly Misplaced[];
  /** That cannot be put right: directories, unreadable files. */
  readonly troubles: readonly Misplaced[];
};

export type Surveyor = (quietMs: number) => Promise<Survey>;

type SeenFile = Extract<Seen, { readonly file: FileStatus }>;

/** How to look at a file, and how long it has to rest still. */
type Eyes = {
  readonly see: (path: string) => Promise<Seen>;
  readonly restFor: (path: string, file: FileStatus) => number;
};

type Sighting = { readonly file: FileStatus; readonly sinceMs: number };

/** Remembers what it has seen, to know what is quiet. */
export function newSurveyor(machine: Machine, root: Root): Surveyor {
  let sightings = new Map<string, Sighting>();
  let known = new Map<string, SeenFile>();
  return async (quietMs) => {
    const fresh = new Map<string, Sighting>();
    const read = new Map<string, SeenFile>();
    /** Of many that wait, hardly one has changed since the last turn. */
    const see = async (path: string): Promise<Seen> => {
      const before = known.get(path);
      const unchanged = before !== undefined && (await isUnchanged(machine, path, before.file));
      const seen = unchanged ? before : await seeUnit(machine, path);
      if ('file' in seen) read.set(path, seen);
      return seen;
    };
    const restFor = (path: string, file: FileStatus): number => {
      const before = sightings.get(path);
      const nowMs = machine.clock.monotonicMs();
      const sighting = before !== undefined && isSame(before.file, file) ? before : { file, sinceMs: nowMs };
      fresh.set(path, sighting);
      const age = toMs(machine.clock.now()) - file.modifiedMs;
      return Math.max(0, quietMs - Math.max(age, nowMs - sighting.sinceMs));
    };
    const survey = await surveyWith(machine, root, { restFor, see });
    sightings = fresh;
    known = read;
    return survey;
  };
}

type Draft = { -readonly [K in keyof Survey]: Survey[K] extends readonly (infer T)[] ? T[] : Survey[K] };

async function surveyWith(machine: Machine, root: Root, eyes: Eyes): Promise<Survey> {
  const draft: Draft = {
    waiting: [],
    current: [],
    restless: [],
    lookAgainMs: undefined,
    rubbish: [],
    troubles: [],
  };
  for (const place of QUEUES) {
    const listed = await listQueue(machine, root.places[place]);
    await noteStrange(machine, draft, root, place, listed);
    if (isIncoming(place)) await surveyIncoming(machine, draft, root, place, listed, eyes);
    if (place === 'currently-executing') {
      for (const name of listed.units) {
        const path = join(root.places[place], name);
        draft.current.push({ name, path, seen: await seeUnit(machine, path) });
      }
    }
  }
  return { ...draft, waiting: draft.waiting.sort(inOrder) };
}

function isIncoming(place: Place): place is Waiting['place'] {
  return (INCOMING as readonly Place[]).includes(place);
}

async function surveyIncoming(
  machine: Machine,
  draft: Draft,
  root: Root,
  place: Waiting['place'],
  { units, editors }: Listed,
  { see, restFor }: Eyes,
): Promise<void> {
  const directory = root.places[place];
  for (const name of units) {
    const path = join(directory, name);
    const seen = await see(path);
    if (seen.kind === 'gone') continue;
    if (seen.kind === 'unreadable') {
      draft.troubles.push({ place, name, reason: `it cannot be read: ${seen.reason}` });
      continue;
    }
    const editor = editors.get(name);
    if (editor !== undefined && (await isOpen(machine, join(directory, editor)))) {
      draft.restless.push({ place, name, reason: `an editor has it open: ${editor}` });
      continue;
    }
    // What we have prepared ourselves is whole, however new it is.
    const restMs = seen.kind === 'unit' && isPrepared(seen.unit) ? 0 : restFor(path, seen.file);
    if (restMs > 0) {
      draft.restless.push({ place, name, reason: 'it is being written' });
      draft.lookAgainMs = Math.min(draft.lookAgainMs ?? restMs, restMs);
    } else if (!isShortName(name, NAME_LIMIT_BYTES)) {
      draft.rubbish.push({ place, name, reason: `its name is longer than ${NAME_LIMIT_BYTES} bytes` });
    } else if (seen.kind === 'invalid') {
      draft.rubbish.push({ place, name, reason: seen.reason });
    } else {
      draft.waiting.push({ place, name, path, seen });
    }
  }
}

async function isUnchanged({ files }: Machine, path: string, before: FileStatus): Promise<boolean> {
  try {
    return isSame(await files.stat(path), before);
  } catch {
    return false; // gone, or not ours to look at any more: reading it will tell
  }
}

async function isOpen({ files, clock }: Machine, path: string): Promise<boolean> {
  try {
    const age = toMs(clock.now()) - (await files.stat(path)).modifiedMs;
    return age < EDITOR_LIMIT_MS;
  } catch {
    return true; // emacs has a link there that leads nowhere
  }
}

/** One README stays, the newest. */
async function noteStrange(
  { files }: Machine,
  draft: Draft,
  root: Root,
  place: Place,
  { strange, directories, readmes }: Listed,
): Promise<void> {
  for (const name of strange) draft.rubbish.push({ place, name, reason: 'it is no regular file' });
  for (const name of directories) {
    draft.troubles.push({ place, name, reason: 'it is a directory, and a queue has none' });
  }
  if (readmes.length < 2) return;
  const dated: { readonly name: string; readonly ms: number }[] = [];
  for (const name of readmes) {
    try {
      dated.push({ name, ms: (await files.stat(join(root.places[place], name))).modifiedMs });
    } catch {
      // Gone since the listing.
    }
  }
  dated.sort((a, b) => b.ms - a.ms || (a.name < b.name ? -1 : 1));
  for (const { name } of dated.slice(1)) {
    draft.rubbish.push({ place, name, reason: `${dated[0]?.name} is a newer README, and there is one only` });
  }
}

/** priority-q before wait-q; then by timestamp, and those without by the time of their files; then by name. */
function inOrder(a: Waiting, b: Waiting): number {
  const byPlace = INCOMING.indexOf(a.place) - INCOMING.indexOf(b.place);
  if (byPlace !== 0) return byPlace;
  const { stamp: one } = a.seen.unit;
  const { stamp: other } = b.seen.unit;
  if (one === undefined || other === undefined) {
    if (one !== other) return one === undefined ? 1 : -1;
    return a.seen.file.modifiedMs - b.seen.file.modifiedMs || byName(a, b);
  }
  return compareStamps(one, other) || byName(a, b);
}

function byName(a: Waiting, b: Waiting): number {
  return a.name < b.name ? -1 : 1;
}

function isSame(a: FileStatus, b: FileStatus): boolean {
  return a.inode === b.inode && a.size === b.size && a.modifiedMs === b.modifiedMs;
}

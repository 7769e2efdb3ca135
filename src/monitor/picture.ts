/** A root at one moment, as its status shows it. */

import { encodeBytes } from '../os/bytes.ts';
import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { readTail, type Tail } from '../os/tail.ts';
import { crc32 } from '../packet/crc32.ts';
import { type Config, PLACES, type Place } from '../uow/config.ts';
import { isPaused } from '../uow/pause.ts';
import { join, QUEUES, type Root } from '../uow/root.ts';
import { newSurveyor, type Survey } from '../uow/survey.ts';
import { formatStamp, type Unit } from '../uow/text.ts';
import { listQueue, type Seen, seeUnit } from '../uow/unit-files.ts';

export type ShownUnit = {
  readonly place: Place;
  readonly name: string;
  readonly path: string;
  /** Undefined when it is none; then `note` says why. */
  readonly unit: Unit | undefined;
  /** What has to be said besides its STATUS. */
  readonly note: string | undefined;
  readonly modifiedMs: number;
  readonly size: number;
  /** A name for its page: the same wherever it lies. */
  readonly page: string;
};

export type ShownQueue = {
  readonly place: Place;
  readonly units: readonly ShownUnit[];
  /** All of them; no more than so many are in `units`. */
  readonly count: number;
};

export type Picture = {
  readonly root: string;
  readonly takenMs: number;
  readonly state: 'working' | 'paused' | 'finishing' | 'ended';
  readonly queues: readonly ShownQueue[];
};

export type Moment = {
  readonly survey: Survey | undefined;
  readonly state: Picture['state'];
};

type Known = { readonly seen: Seen; readonly modifiedMs: number };

/** Takes pictures, and remembers what lies where nothing changes any more. */
export function newPainter(
  machine: Machine,
  root: Root,
): (config: Config, moment: Moment) => Promise<Picture> {
  let settled = new Map<string, Known>();
  return async (config, { survey, state }) => {
    const fresh = new Map<string, Known>();
    const know = async (path: string): Promise<Known | undefined> => {
      const known = settled.get(path) ?? (await lookAt(machine, path));
      if (known !== undefined) fresh.set(path, known);
      return known;
    };
    const queues: ShownQueue[] = [];
    for (const place of QUEUES) {
      queues.push(
        isSettled(place)
          ? await settledQueue(machine, root, place, config.statusKeeps, know)
          : await openQueue(machine, root, place, config.statusKeeps, survey),
      );
    }
    settled = fresh;
    const takenMs = toMs(machine.clock.now());
    return { root: root.path, takenMs, state, queues: withPages(queues) };
  };
}

function isSettled(place: Place): boolean {
  return place === 'done-q' || place === 'error-q' || place === 'fail-q';
}

/** The newest first. */
async function settledQueue(
  machine: Machine,
  root: Root,
  place: Place,
  limit: number,
  know: (path: string) => Promise<Known | undefined>,
): Promise<ShownQueue> {
  const shown: ShownUnit[] = [];
  const { units } = await listQueue(machine, root.places[place]);
  for (const name of units) {
    const path = join(root.places[place], name);
    const known = await know(path);
    if (known !== undefined) shown.push(shownUnit(place, name, path, known.seen));
  }
  shown.sort((a, b) => b.modifiedMs - a.modifiedMs || (a.name < b.name ? -1 : 1));
  return { place, units: shown.slice(0, limit), count: units.length };
}

/** In the order in which they are to run; then what has to become quiet first. */
async function openQueue(
  machine: Machine,
  root: Root,
  place: Place,
  limit: number,
  survey: Survey | undefined,
): Promise<ShownQueue> {
  const { units } = await listQueue(machine, root.places[place]);
  const waiting = survey?.waiting.filter((unit) => unit.place === place).map(({ name }) => name) ?? [];
  const ordered = [
    ...waiting.filter((name) => units.includes(name)),
    ...units.filter((name) => !waiting.includes(name)),
  ];
  const shown: ShownUnit[] = [];
  for (const name of ordered.slice(0, limit)) {
    const path = join(root.places[place], name);
    const seen = await seeUnit(machine, path);
    if (seen.kind === 'gone') continue;
    const restless = survey?.restless.find((unit) => unit.place === place && unit.name === name);
    shown.push({ ...shownUnit(place, name, path, seen), ...(restless && { note: restless.reason }) });
  }
  return { place, units: shown, count: units.length };
}

async function lookAt(machine: Machine, path: string): Promise<Known | undefined> {
  const seen = await seeUnit(machine, path);
  if (seen.kind === 'gone') return undefined;
  return { seen, modifiedMs: seen.kind === 'unreadable' ? 0 : seen.file.modifiedMs };
}

function shownUnit(place: Place, name: string, path: string, seen: Seen): ShownUnit {
  const file = seen.kind === 'unit' || seen.kind === 'invalid' ? seen.file : undefined;
  return {
    place,
    name,
    path,
    unit: seen.kind === 'unit' ? seen.unit : undefined,
    note: seen.kind === 'invalid' || seen.kind === 'unreadable' ? seen.reason : undefined,
    modifiedMs: file?.modifiedMs ?? 0,
    size: file?.size ?? 0,
    page: '',
  };
}

/** Two units may have one name and one timestamp, in two places: the place tells them apart. */
function withPages(queues: readonly ShownQueue[]): ShownQueue[] {
  const used = new Set<string>();
  return queues.map((queue) => ({
    ...queue,
    units: queue.units.map((unit) => {
      const stem = pageStem(unit);
      const page = used.has(stem) ? `${stem}-${PLACES.indexOf(unit.place)}` : stem;
      used.add(page);
      return { ...unit, page: `${page}.html` };
    }),
  }));
}

const STEM_CHARACTERS = 120;

/** Letters, digits and hyphens stay; every other byte is `_hh`. Nothing in it means anything in a path or in HTML. */
function pageStem({ name, unit }: ShownUnit): string {
  const bytes = encodeBytes(name);
  const safe = Array.from(bytes, (byte) =>
    /[A-Za-z0-9-]/.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `_${byte.toString(16).padStart(2, '0')}`,
  ).join('');
  const short =
    safe.length <= STEM_CHARACTERS ? safe : `${safe.slice(0, STEM_CHARACTERS)}-${crc32(bytes).toString(16)}`;
  return `uow-${unit?.stamp === undefined ? 'new' : formatStamp(unit.stamp)}-${short}`;
}

/** The last bytes of its log, and how many were before them. */
export async function logTail(
  { files }: Machine,
  { path, unit }: ShownUnit,
  limitBytes: number,
): Promise<Tail | undefined> {
  return unit?.logAt === undefined ? undefined : readTail(files, path, limitBytes, unit.logAt);
}

/** For whoever only looks. */
export async function lookAtRoot(
  machine: Machine,
  root: Root,
  config: Config,
  isWorked: boolean,
): Promise<Picture> {
  const survey = await newSurveyor(machine, root)(config.quietMs);
  const state = (await isPaused(machine, root)) ? 'paused' : isWorked ? 'working' : 'ended';
  return newPainter(machine, root)(config, { survey, state });
}

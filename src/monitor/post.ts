/** Putting the status where people look for it: each file is replaced as a whole, and only when it says something else. */

import { unlinkIfThere } from '../os/if-there.ts';
import { makeDirectory } from '../os/make-directory.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import { partsOf, replaceFile } from '../queue/replace-file.ts';
import { isPaused } from '../uow/pause.ts';
import { join, type Root, within } from '../uow/root.ts';
import { logTail, newPainter, type Picture, type ShownUnit } from './picture.ts';
import type { MonitorState } from './state.ts';
import { indexHtml, unitHtml } from './status-html.ts';
import { statusText } from './status-words.ts';

/** Of a log, so much is on its page. */
const LOG_BYTES = 256 * 1024;

/** However busy the Monitor is, the status is posted so often at most. */
const LEAST_INTERVAL_MS = 1000;

export type Posted = {
  /** What could not be done, as a sentence. */
  readonly complaint?: string;
  /** It was too early: there may be news to post in so many milliseconds. */
  readonly dueMs?: number;
};

export type Poster = {
  post(state: MonitorState, isEnded?: boolean): Promise<Posted>;
};

export function newPoster(machine: Machine, root: Root): Poster {
  const paint = newPainter(machine, root);
  const written = new Map<string, string>();
  let pagesBefore: ReadonlySet<string> | undefined;
  let postedMs = Number.NEGATIVE_INFINITY;
  let shownBefore = '';

  const write = async (path: string, mark: string, text: () => string | Promise<string>): Promise<void> => {
    if (written.get(path) === mark) return;
    await replace(machine, path, await text());
    written.set(path, mark);
  };
  const writePages = async (picture: Picture, html: string, pages: string): Promise<void> => {
    const directory = join(html.replace(/\/[^/]*$/, ''), pages);
    await makeDirectory(machine, directory);
    const index = `../${html.slice(html.lastIndexOf('/') + 1)}`;
    const units = picture.queues.flatMap((queue) => queue.units);
    for (const unit of units) {
      await write(join(directory, unit.page), markOf(unit), async () =>
        unitHtml(unit, await logTail(machine, unit, LOG_BYTES), index),
      );
    }
    const now = new Set(units.map(({ page }) => page));
    for (const page of pagesBefore ?? (await ownPages(machine, directory))) {
      if (now.has(page)) continue;
      await unlinkIfThere(machine, join(directory, page));
      written.delete(join(directory, page));
    }
    pagesBefore = now;
  };

  const postAll = async (state: MonitorState, isEnded: boolean): Promise<Posted> => {
    const { statusText: textPath, statusHtml: htmlPath, sleepMs } = state.config.current;
    if (textPath === undefined && htmlPath === undefined) return {};
    const restMs = postedMs + LEAST_INTERVAL_MS - machine.clock.monotonicMs();
    if (restMs > 0 && !isEnded) return { dueMs: restMs };
    const picture = await paint(state.config.current, {
      survey: state.survey,
      state: await stateWord(state, isEnded),
    });
    // The time in it is no news by itself: what is written wakes whoever watches, ourselves too.
    const shown = JSON.stringify([
      picture.state,
      picture.queues.map(({ units, count }) => [count, units.map(markOf)]),
    ]);
    const nowMs = machine.clock.monotonicMs();
    if (shown === shownBefore && nowMs - postedMs < sleepMs) return {};
    const mark = `${shown} ${nowMs}`;
    if (htmlPath !== undefined) {
      const html = within(root.path, htmlPath);
      const pages = `${html.slice(html.lastIndexOf('/') + 1).replace(/\.html?$/, '')}-pages`;
      await writePages(picture, html, pages);
      await write(html, mark, () => indexHtml(picture, pages));
    }
    if (textPath !== undefined) await write(within(root.path, textPath), mark, () => statusText(picture));
    shownBefore = shown;
    postedMs = nowMs;
    return {};
  };
  return {
    post: async (state, isEnded = false) => {
      try {
        return await postAll(state, isEnded);
      } catch (error) {
        const why = error instanceof QueueError ? error.message : reasonOf(error);
        return { complaint: `the status cannot be posted: ${why}` };
      }
    },
  };
}

async function stateWord(state: MonitorState, isEnded: boolean): Promise<Picture['state']> {
  if (isEnded) return 'ended';
  if (state.isFinishing) return 'finishing';
  return (await isPaused(state.machine, state.root)) ? 'paused' : 'working';
}

/** Another one when its page has to say something else. */
function markOf({ place, name, path, unit, note, size, modifiedMs }: ShownUnit): string {
  return JSON.stringify([place, name, path, unit?.status, note, size, modifiedMs]);
}

async function replace({ files }: Machine, path: string, text: string): Promise<void> {
  const { directory, name } = partsOf(path);
  const temporaryName = `.${name}.temp`;
  try {
    await files.unlink(join(directory, temporaryName)); // of a Monitor that was killed
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
  await replaceFile(files, path, text, temporaryName);
}

/** Pages that another Monitor has left. */
async function ownPages({ files }: Machine, directory: string): Promise<Set<string>> {
  const names = (await files.readdir(directory)).map(({ name }) => name);
  return new Set(names.filter((name) => /^uow-[\w-]+\.html$/.test(name)));
}

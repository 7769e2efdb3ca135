/**
 * The Monitor of a simple-job-q: one process that works one root.
 *
 *     starting --lock, recover--> turning <--event, time, a job's end-- asleep
 *                                    |                                    ^
 *                                    +------------nothing to do-----------+
 *                                    |
 *                                    +--FINISH, SHUTDOWN, a signal--> finishing --no job runs--> ended
 *
 *   starting   takes the lock of the root, and brings to its end what a dead Monitor has left
 *   turning    one turn: read messages, survey, move files, edit files, launch, post the status
 *   asleep     until a name changes in a directory, a job ends, or the time that is set is over
 *   finishing  starts no more (FINISH), or has told the jobs to end (SHUTDOWN); turns until none runs
 *   ended      the lock is given up
 *
 * With `once` it ends as well when nothing is left that may start now.
 *
 * All changes of files are made in turns, one after the other, so no two of ours ever meet. What people may do to the
 * same files at any moment is what src/uow is about: prepare.ts, run.ts, move.ts.
 */

import { type Bell, newBell } from '../os/bell.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { hasErrno, isSystemError, type Machine } from '../os/ports.ts';
import { reasonOf } from '../queue/errors.ts';
import { lockRoot } from '../uow/lock.ts';
import { isPaused } from '../uow/pause.ts';
import { type Recovered, recover } from '../uow/recover.ts';
import { INCOMING, openRoot, type Root } from '../uow/root.ts';
import type { Settlement } from '../uow/run.ts';
import { newStamps } from '../uow/stamps.ts';
import { newSurveyor, type Surveyor } from '../uow/survey.ts';
import type { Stamp } from '../uow/text.ts';
import { newConfigKeeper } from './config-keeper.ts';
import { type Inbox, newInbox } from './inbox.ts';
import { type FailingUnit, newJobs } from './jobs.ts';
import { commandRunner, type RunJob } from './launch.ts';
import { parseMessage } from './messages.ts';
import { obey } from './obey.ts';
import { newPoster, type Poster } from './post.ts';
import { newSays } from './says.ts';
import { prepareAll, startAll } from './start.ts';
import type { MonitorState } from './state.ts';
import { tidy } from './tidy.ts';

export type MonitorOptions = {
  /** Ends when nothing is left that may start now. Default: no. */
  readonly once?: boolean;
  /** Aborted: as on SHUTDOWN. */
  readonly stop?: AbortSignal;
  /** Told everything that the Monitor says. */
  readonly onSaid?: (sentence: string) => void;
  /** Told of a unit that has failed, before it is put away: when we die in between, it is told again. */
  readonly onFailing?: (unit: FailingUnit) => Promise<void>;
  /** How a job is run. Default: as a command. */
  readonly run?: RunJob;
};

/** How many jobs have ended in which way. */
export type MonitorReport = { done: number; error: number; fail: number };

/** Works a root until it is told to stop. Throws `not-a-root`, `config-damaged`, `locked`. */
export async function runMonitor(
  machine: Machine,
  path: string,
  options: MonitorOptions = {},
): Promise<MonitorReport> {
  const { root, config } = await openRoot(machine, path);
  const lock = await lockRoot(machine, root);
  try {
    const bell = newBell(machine.clock);
    const says = newSays(machine, root.says, options.onSaid ?? (() => {}));
    const run = options.run ?? commandRunner(machine, lock);
    const state: MonitorState = {
      machine,
      root,
      says,
      config: newConfigKeeper(machine, root, config, says),
      jobs: newJobs(machine, root, run, bell.ring),
      survey: undefined,
      isFinishing: false,
    };
    await says.say(`the Monitor starts on ${root.path} (process ${machine.host.pid})`);
    const recovered = await recover(machine, root, async (name, path, reason) =>
      options.onFailing?.({ name, path, reason }),
    );
    for (const found of recovered) await says.say(recoveredSentence(found));
    return await new Monitor(state, bell, options).work();
  } finally {
    await closeQuietly(machine.files, lock);
  }
}

function recoveredSentence({ kind, name, path }: Recovered): string {
  switch (kind) {
    case 'half-run':
      return `${name}: its Monitor ended while it ran; it is in ${path}`;
    case 'over':
      return `${name}: it was over when its Monitor ended; it is in ${path}`;
    case 'doubled':
      return `${name}: it had a second name, ${path}, which was removed`;
    case 'edit':
      return `${name}: it was about to be stamped when its Monitor ended; it is whole`;
  }
}

/** A file of messages that is empty is about to be written: it is looked at again so soon. */
const ABOUT_TO_WRITE_MS = 100;

class Monitor {
  readonly #state: MonitorState;
  readonly #bell: Bell;
  readonly #options: MonitorOptions;
  readonly #inbox: Inbox;
  readonly #poster: Poster;
  readonly #look: Surveyor;
  readonly #nextStamp: () => Stamp;
  readonly #report: MonitorReport = { done: 0, error: 0, fail: 0 };

  constructor(state: MonitorState, bell: Bell, options: MonitorOptions) {
    const { machine, root } = state;
    this.#state = state;
    this.#bell = bell;
    this.#options = options;
    this.#inbox = newInbox(machine, root.reads);
    this.#poster = newPoster(machine, root);
    this.#look = newSurveyor(machine, root);
    this.#nextStamp = newStamps(machine.clock);
  }

  async work(): Promise<MonitorReport> {
    const { stop } = this.#options;
    stop?.addEventListener('abort', this.#bell.ring);
    const unwatch = await watchRoot(this.#state.machine, this.#state.root, this.#bell.ring);
    try {
      for (let wasRung = true; ; ) {
        const sleepMs = await this.#turnSafely(wasRung);
        if (sleepMs === undefined) break;
        wasRung = await this.#bell.wait(sleepMs);
      }
      await this.#state.says.say('the Monitor ends');
      await this.#poster.post(this.#state, true);
      return this.#report;
    } finally {
      for (const end of unwatch) end();
      stop?.removeEventListener('abort', this.#bell.ring);
      await this.#inbox.close();
    }
  }

  /** A full disk, a directory that is gone: said, and tried again later. */
  async #turnSafely(wasRung: boolean): Promise<number | undefined> {
    const { says, config } = this.#state;
    try {
      return await this.#turn(wasRung);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const where = error.path === undefined ? '' : `${error.path}: `;
      await says.complain(`something is in the way: ${where}${reasonOf(error)}`);
      return this.#isOver() ? undefined : config.current.sleepMs;
    } finally {
      says.turn();
    }
  }

  /** Returns how long to sleep; undefined when all is over. */
  async #turn(wasRung: boolean): Promise<number | undefined> {
    const state = this.#state;
    await state.config.refresh();
    await this.#readMessages();
    if (this.#options.stop?.aborted && !state.isFinishing) await obey(state, { keyword: 'SHUTDOWN' });
    await state.jobs.settle(
      (name, settlement) => this.#tellSettled(name, settlement),
      (name, error) => this.#tellUnsettled(name, error),
      async (unit) => this.#options.onFailing?.(unit),
    );
    const { quietMs, sleepMs } = state.config.current;
    const survey = await this.#look(quietMs);
    state.survey = survey;
    let changed = await tidy(state, survey);
    const mayStart = !state.isFinishing && !(await isPaused(state.machine, state.root));
    changed += await prepareAll(state, survey, this.#nextStamp);
    if (mayStart) changed += await startAll(state, survey);
    const { complaint, dueMs = sleepMs } = await this.#poster.post(state);
    if (complaint !== undefined) await state.says.complain(complaint);
    if (changed > 0) return 0;
    if (this.#inbox.isUnfinished) return ABOUT_TO_WRITE_MS;
    if (this.#isOver()) return undefined;
    const restMs = survey.lookAgainMs;
    if (this.#options.once && state.jobs.names.length === 0 && restMs === undefined) return undefined;
    if (wasRung && (await this.#inbox.isAboutToBeWritten())) return ABOUT_TO_WRITE_MS;
    return Math.min(sleepMs, restMs ?? sleepMs, dueMs);
  }

  #isOver(): boolean {
    return this.#state.isFinishing && this.#state.jobs.names.length === 0;
  }

  async #readMessages(): Promise<void> {
    const { says } = this.#state;
    const mail = await this.#inbox.read();
    if (mail.complaint !== undefined) await says.complain(mail.complaint);
    for (const line of mail.lines) {
      const message = parseMessage(line);
      if (message === undefined) continue;
      if ('wrong' in message) await says.say(message.wrong);
      else await obey(this.#state, message);
    }
    await mail.done();
  }

  /** It is tried again, unless we are about to end: then the next Monitor finds it. */
  async #tellUnsettled(name: string, error: unknown): Promise<boolean> {
    const { says, isFinishing } = this.#state;
    await says.complain(`${name}: its job has ended, but it cannot be put away: ${reasonOf(error)}`);
    return !isFinishing;
  }

  async #tellSettled(name: string, { ending, path, status, touched }: Settlement): Promise<void> {
    const { says } = this.#state;
    this.#report[ending] += 1;
    await says.say(`${name}: ${status}; it is in ${path}`);
    if (touched !== undefined) {
      await says.say(`${name}: its file was ${touched} while it ran; all that it said is in ${path}`);
    }
  }
}

/** File events where there are any; without them the time to sleep is how soon something is noticed. */
async function watchRoot({ watches }: Machine, root: Root, onChange: () => void): Promise<(() => void)[]> {
  const messages = root.reads.replace(/[^/]*$/, '.');
  const unwatch: (() => void)[] = [];
  for (const directory of [...INCOMING.map((place) => root.places[place]), messages]) {
    try {
      unwatch.push(await watches.watch(directory, { onChange, onLost: () => {} }));
    } catch (error) {
      if (!hasErrno(error, 'ENOSPC', 'EMFILE', 'ENOSYS', 'ENOTSUP', 'ENOENT')) throw error;
    }
  }
  return unwatch;
}

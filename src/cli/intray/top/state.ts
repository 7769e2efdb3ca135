/**
 * What the person at the terminal has chosen to see, and how keys change it. Pure.
 *
 *     overview --Enter--> queue --Esc--> overview        ?  help, over both; any key ends it
 *        |                  |                            /  a filter is typed; Enter keeps it, Esc drops it
 *        +--p-> question <-+-p, r                       y  answers a question, any other key drops it
 */

import { shellQuote } from '../../../os/shell.ts';
import type { Key } from './keys.ts';
import type { Picture, QueuePicture, SeenQueue } from './picture.ts';
import { queueRows, rowsOf, SECTIONS, type Section } from './rows.ts';

/** The row that is chosen: found again by its key when the list has changed, by its place when it is gone. */
export type Choice = { readonly key: string | undefined; readonly at: number };

export type List = 'overview' | Section;

export type State = {
  /** The queue that is shown; undefined: all of them. */
  readonly queue: string | undefined;
  readonly section: Section;
  readonly choices: Readonly<Record<List, Choice>>;
  readonly filters: Readonly<Record<'overview' | 'queue', string>>;
  /** Whether what is typed goes into the filter. */
  readonly typing: boolean;
  readonly help: boolean;
  readonly question: Question | undefined;
  /** What came of the last thing that was done. */
  readonly notice: string | undefined;
};

export type Question = { readonly text: string; readonly act: Act };

/** What is done to queues. */
export type Act =
  | { readonly kind: 'pause' | 'resume'; readonly queue: string }
  | { readonly kind: 'retry'; readonly queue: string; readonly id: string };

export type Effect =
  | { readonly kind: 'quit' }
  /** Ctrl-C. */
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
  /** Look again at once. */
  | { readonly kind: 'look' }
  | { readonly kind: 'act'; readonly act: Act };

export type Reaction = { readonly state: State; readonly effect?: Effect };

const FIRST: Choice = { key: undefined, at: 0 };

const START: State = {
  queue: undefined,
  section: 'running',
  choices: { overview: FIRST, running: FIRST, lanes: FIRST, waiting: FIRST, failed: FIRST, workers: FIRST },
  filters: { overview: '', queue: '' },
  typing: false,
  help: false,
  question: undefined,
  notice: undefined,
};

/** A queue that is alone is shown at once. */
export function startState(queues: readonly string[]): State {
  return queues.length === 1 ? { ...START, queue: queues[0] } : START;
}

/** With the list that says most: what runs, or else what has failed or waits. */
export function withBestSection(state: State, picture: Picture): State {
  const queue = shownQueue(state, picture);
  if (queue?.kind !== 'seen') return state;
  const { counts } = queue.snapshot;
  const { running, waiting, failed, lanesFailed } = counts;
  const section =
    running > 0 ? 'running' : failed + lanesFailed > 0 ? 'failed' : waiting > 0 ? 'waiting' : 'running';
  return { ...state, section };
}

/** Rows that Page Up and Page Down go. */
const PAGE = 10;

const KEYS: Readonly<Record<string, Key>> = {
  j: 'down',
  k: 'up',
  h: 'left',
  l: 'right',
  g: 'home',
  G: 'end',
};

export function react(state: State, key: Key, picture: Picture, nowMs: number): Reaction {
  if (key === 'ctrl-c') return { state, effect: { kind: 'interrupt' } };
  if (key === 'ctrl-z') return { state, effect: { kind: 'suspend' } };
  if (key === 'ctrl-l') return { state, effect: { kind: 'redraw' } };
  if (state.question !== undefined) return answered(state, state.question, key);
  if (state.typing) return typed(state, key);
  const fresh: State = { ...state, notice: undefined };
  if (state.help) {
    if (typeof key !== 'string' && key.character === 'q') return { state: fresh, effect: { kind: 'quit' } };
    return { state: { ...fresh, help: false } };
  }
  const meant = typeof key === 'string' ? key : (KEYS[key.character] ?? key);
  return typeof meant === 'string'
    ? moved(fresh, meant, picture, nowMs)
    : commanded(fresh, meant.character, picture, nowMs);
}

function answered(state: State, { act }: Question, key: Key): Reaction {
  const next: State = { ...state, question: undefined };
  const yes = typeof key !== 'string' && (key.character === 'y' || key.character === 'Y');
  return yes
    ? { state: next, effect: { kind: 'act', act } }
    : { state: { ...next, notice: 'Nothing was done.' } };
}

function typed(state: State, key: Key): Reaction {
  const filter = filterOf(state);
  if (typeof key !== 'string') return { state: withFilter(state, filter + key.character) };
  switch (key) {
    case 'backspace':
      return filter === ''
        ? { state: { ...state, typing: false } }
        : { state: withFilter(state, [...filter].slice(0, -1).join('')) };
    case 'escape':
      return { state: withFilter({ ...state, typing: false }, ''), effect: { kind: 'look' } };
    case 'enter':
      return { state: { ...state, typing: false }, effect: { kind: 'look' } };
    default:
      return { state };
  }
}

function commanded(state: State, character: string, picture: Picture, nowMs: number): Reaction {
  switch (character) {
    case 'q':
      return { state, effect: { kind: 'quit' } };
    case '?':
      return { state: { ...state, help: true } };
    case '/':
      return { state: { ...state, typing: true } };
    case ' ':
      return { state, effect: { kind: 'look' } };
    case 'p':
      return { state: asked(state, pauseQuestion(chosenQueue(state, picture))) };
    case 'r':
      return { state: asked(state, retryQuestion(state, picture, nowMs)) };
    default: {
      const section = SECTIONS[Number(character) - 1];
      if (section === undefined || state.queue === undefined) return { state };
      return moved({ ...state, section }, undefined, picture, nowMs);
    }
  }
}

/** A sentence instead of a question says why there is none. */
function asked(state: State, question: Question | string | undefined): State {
  if (question === undefined) return state;
  return typeof question === 'string' ? { ...state, notice: question } : { ...state, question };
}

/** Of the job that is chosen now: what is on the screen at the answer may be another. */
function retryQuestion(state: State, picture: Picture, nowMs: number): Question | string {
  const queue = shownQueue(state, picture);
  const keys = keysOf(state, picture, nowMs);
  const id = keys[placeOf(state.choices[state.section], keys)];
  if (queue === undefined || state.section !== 'failed' || id === undefined)
    return 'Choose one of the failed jobs of a queue first.';
  return {
    text: `Run job ${id.slice(0, SHOWN_OF_ID)} again?`,
    act: { kind: 'retry', queue: queue.name, id },
  };
}

const SHOWN_OF_ID = 36;

function pauseQuestion(queue: SeenQueue | undefined): Question | undefined {
  if (queue === undefined) return undefined;
  const { name, snapshot } = queue;
  return snapshot.paused
    ? { text: `Let jobs of ${shellQuote(name)} start again?`, act: { kind: 'resume', queue: name } }
    : { text: `Pause ${shellQuote(name)}, so that no job starts?`, act: { kind: 'pause', queue: name } };
}

/** `key` left out: nowhere; the chosen row is only looked up. */
function moved(state: State, key: (Key & string) | undefined, picture: Picture, nowMs: number): Reaction {
  const keys = keysOf(state, picture, nowMs);
  const list: List = state.queue === undefined ? 'overview' : state.section;
  const at = placeOf(state.choices[list], keys);
  const choose = (place: number): Reaction => {
    const to = Math.max(0, Math.min(place, keys.length - 1));
    return { state: { ...state, choices: { ...state.choices, [list]: { key: keys[to], at: to } } } };
  };
  switch (key) {
    case 'up':
      return choose(at - 1);
    case 'down':
      return choose(at + 1);
    case 'page-up':
      return choose(at - PAGE);
    case 'page-down':
      return choose(at + PAGE);
    case 'home':
      return choose(0);
    case 'end':
      return choose(keys.length - 1);
    case undefined:
      return choose(at);
    case 'enter': {
      if (state.queue !== undefined || keys[at] === undefined) return { state };
      const { choices } = choose(at).state;
      const opened = { ...START, queue: keys[at], filters: state.filters };
      const shown = { ...opened, choices: { ...opened.choices, overview: choices.overview } };
      return {
        state: withBestSection(shown, picture),
        effect: { kind: 'look' },
      };
    }
    case 'escape':
      if (filterOf(state) !== '') return { state: withFilter(state, ''), effect: { kind: 'look' } };
      return { state: { ...state, queue: undefined } };
    case 'tab':
    case 'right':
      return otherSection(state, 1);
    case 'back-tab':
    case 'left':
      return otherSection(state, -1);
    default:
      return { state };
  }
}

function otherSection(state: State, by: 1 | -1): Reaction {
  if (state.queue === undefined) return { state };
  const at = (SECTIONS.indexOf(state.section) + by + SECTIONS.length) % SECTIONS.length;
  return { state: { ...state, section: SECTIONS[at] ?? 'running' } };
}

export function filterOf(state: State): string {
  return state.filters[state.queue === undefined ? 'overview' : 'queue'];
}

function withFilter(state: State, filter: string): State {
  const view = state.queue === undefined ? 'overview' : 'queue';
  return { ...state, filters: { ...state.filters, [view]: filter } };
}

/** The keys of the rows of the list that is shown. */
function keysOf(state: State, picture: Picture, nowMs: number): string[] {
  if (state.queue === undefined)
    return queueRows(picture.queues, state.filters.overview).map(({ name }) => name);
  const queue = shownQueue(state, picture);
  if (queue?.kind !== 'seen') return [];
  return rowsOf(queue, state.filters.queue, nowMs)[state.section].map(({ key }) => key);
}

export function placeOf({ key, at }: Choice, keys: readonly string[]): number {
  const found = key === undefined ? -1 : keys.indexOf(key);
  return found >= 0 ? found : Math.max(0, Math.min(at, keys.length - 1));
}

/** The queue whose page is shown. */
export function shownQueue({ queue }: State, { queues }: Picture): QueuePicture | undefined {
  return queue === undefined ? undefined : queues.find(({ name }) => name === queue);
}

/** The queue that is shown, or chosen in the overview. */
function chosenQueue(state: State, picture: Picture): SeenQueue | undefined {
  const rows = queueRows(picture.queues, state.filters.overview);
  const at = placeOf(
    state.choices.overview,
    rows.map(({ name }) => name),
  );
  const queue = state.queue === undefined ? rows[at] : shownQueue(state, picture);
  return queue?.kind === 'seen' ? queue : undefined;
}

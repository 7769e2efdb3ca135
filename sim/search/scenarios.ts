/**
 * The small cases that are searched through completely. Each is a main actor and, in some, another one that runs
 * as a whole between two calls of the main one; every place between two calls is tried.
 */

import type { Machine } from '../../src/os/ports.ts';
import { addAndTell, observerOf } from '../checker.ts';
import type { History } from '../history.ts';
import type { AddWay, Layout } from '../layouts/layout.ts';

export type Actor = (layout: Layout, machine: Machine, history: History) => Promise<void>;

export type Scenario = {
  readonly name: string;
  /** Jobs that are in the queue for good before it begins: how many, or their labels. */
  readonly jobsBefore: number | readonly string[];
  readonly main: Actor;
  readonly between?: Actor;
  /** The main actor is killed where the other one comes in. */
  readonly mainDies?: boolean;
  /** The main actor is stopped there, for longer than any lease, and goes on when the other one has done its work. */
  readonly mainStops?: boolean;
  /** How the jobs before were added. */
  readonly wayBefore?: AddWay;
  /** Jobs get numbers from elsewhere. */
  readonly foreignNumbers?: boolean;
  /** It begins with an empty disk, and the queue is its to make. */
  readonly withoutQueue?: boolean;
  /** The power stays on: what it does promises nothing about power cuts. */
  readonly killsOnly?: boolean;
};

export function payloadOf(label: string): string {
  return `job ${label}: all of its bytes!`;
}

export function adding(labels: readonly string[], way: AddWay = 'own'): Actor {
  return async (layout, machine, history) => {
    for (const label of labels) await addAndTell(layout, machine, history, payloadOf(label), way);
  };
}

const creating: Actor = async (layout, machine, history) => {
  try {
    await layout.create(machine);
    history.creationReturned();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
};

export const inTurn =
  (...actors: readonly Actor[]): Actor =>
  async (...all) => {
    for (const actor of actors) await actor(...all);
  };

/** A worker that meets an error ends, and says so; what it leaves is checked afterwards. */
export const processing: Actor = async (layout, machine, history) => {
  try {
    await layout.work(machine, { kind: 'function', observer: observerOf(history) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
};

const first = adding(['a']);
const second = adding(['b']);

export const SCENARIOS: readonly Scenario[] = [
  { name: 'add-1', jobsBefore: 0, main: first },
  { name: 'add-2', jobsBefore: 0, main: adding(['a', 'b']) },
  { name: 'add-3', jobsBefore: 0, main: adding(['a', 'b', 'c']) },
  { name: 'add-to-1', jobsBefore: 1, main: first },
  { name: 'process-1', jobsBefore: 1, main: processing },
  { name: 'process-2', jobsBefore: 2, main: processing },
  { name: 'process-3', jobsBefore: 3, main: processing },
  {
    name: 'add-then-process',
    jobsBefore: 0,
    main: inTurn(first, processing),
  },
  { name: 'add-while-processing', jobsBefore: 2, main: processing, between: first },
  { name: 'process-while-adding', jobsBefore: 1, main: first, between: processing },
  { name: 'add-while-adding', jobsBefore: 0, main: first, between: second },
  { name: 'process-while-processing', jobsBefore: 2, main: processing, between: processing },
  {
    name: 'process-after-a-killed-one',
    jobsBefore: 2,
    main: processing,
    between: processing,
    mainDies: true,
  },
  { name: 'process-after-a-killed-add', jobsBefore: 1, main: first, between: processing, mainDies: true },
  { name: 'add-after-a-killed-one', jobsBefore: 0, main: first, between: second, mainDies: true },
  {
    name: 'add-behind-another-sender',
    jobsBefore: 1,
    main: first,
    wayBefore: 'elsewhere',
    foreignNumbers: true,
  },
  { name: 'add-bytes', jobsBefore: 0, main: adding(['a', 'b'], 'bytes'), foreignNumbers: true },
  { name: 'add-crash-safe', jobsBefore: 0, main: adding(['a', 'b'], 'crash-safe'), killsOnly: true },
  { name: 'create', jobsBefore: 0, main: creating, withoutQueue: true },
  { name: 'create-and-add', jobsBefore: 0, main: inTurn(creating, adding(['a'])), withoutQueue: true },
];

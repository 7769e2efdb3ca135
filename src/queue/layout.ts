/**
 * A layout: how queues are on disk, and what follows from that. What is said here is data, so that a layout is recognised,
 * and what it can do is told, without loading its code.
 */

import type { Machine } from '../os/ports.ts';
import type { Queue } from './contract.ts';
import type { Keeper, KeeperOptions } from './keeper.ts';
import type { LayoutName } from './snapshot.ts';

export type Layout = {
  readonly name: LayoutName;
  /** As people call it. */
  readonly title: string;
  /** A directory with all the directories of one of these lists is such a queue. */
  readonly marks: readonly (readonly string[])[];
  /** What its locations begin with, where they are no directories. */
  readonly scheme?: string;
  /** Names of which one is left, perhaps, where a queue is damaged. */
  readonly remains?: readonly string[];
  /** Without these jobs are only added to it and listed. `never`: not by our workers, but by a program of its own. */
  readonly worked?: readonly string[] | 'never';
  readonly capabilities: Capabilities;
  readonly loadQueue: () => Promise<OpenQueue>;
  readonly loadKeeper: () => Promise<OpenKeeper>;
};

/** Throws `not-a-queue`. */
export type OpenQueue = (machine: Machine, location: string) => Promise<Queue>;

/** Throws `not-a-queue`, but for a damaged one when that is asked for. */
export type OpenKeeper = (machine: Machine, location: string, options: KeeperOptions) => Promise<Keeper>;

/** What layouts may be able to do, as a question that each answers. */
export const QUESTIONS = {
  order: 'Do jobs run strictly one after the other, in the order of their numbers?',
  lanes: 'Are there lanes, each with its own order?',
  parallel: 'May several workers share it?',
  lease: 'Are they told from dead ones on other machines?',
  priority: 'May some jobs go first?',
  delay: 'May a job wait for a time?',
  expires: 'May a job be worthless after a time?',
  names: 'Is a job added only once under a name?',
  params: 'Can a job bring arguments for its command?',
  variables: 'Can a job bring variables for its command?',
  retries: 'Are starts counted, and failed jobs run again later?',
  hold: 'Can single jobs be held?',
  pause: 'Can it be paused?',
  failed: 'Are failed jobs kept?',
  log: 'Is kept what commands say?',
  encoded: 'May job files be packed or encrypted?',
  durable: 'Does an accepted job survive a power cut?',
  original: 'May the original programs work beside us?',
} as const satisfies Record<string, string>;

export type Capability = keyof typeof QUESTIONS;

/** `how`: in a few words, how it does that, or why it does not; no full stop. */
export type Ability = { readonly has: boolean; readonly how: string };

export type Capabilities = Readonly<Record<Capability, Ability>>;

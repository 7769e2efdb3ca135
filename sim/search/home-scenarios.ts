/** The small cases of workers that share a queue. What the labels of jobs mean: see layouts/home.ts. */

import { addAllAndTell, observerOf } from '../checker.ts';
import { type Actor, adding, inTurn, payloadOf, processing, type Scenario } from './scenarios.ts';

const addingAll =
  (...labels: readonly string[]): Actor =>
  (layout, machine, history) =>
    addAllAndTell(layout, machine, history, labels.map(payloadOf));

/** Goes on until also what a stopped or dead worker had is done. */
const workingToTheEnd: Actor = async (layout, machine, history) => {
  const manner = { concurrency: 2, leaseMs: 1000, keepsWaiting: false, isPatient: true };
  try {
    await layout.work(machine, { kind: 'function', observer: observerOf(history), manner });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
};

/** A sender that does not know whether it has succeeded, and tries again; or a second one, beside the first. */
const addingAgain =
  (label: string): Actor =>
  async (layout, machine, history) => {
    const payload = payloadOf(label);
    const isTheFirst = !history.isAccepted(payload) && !history.isBeingAdded(payload);
    if (isTheFirst) return adding([label])(layout, machine, history);
    try {
      history.addReturned(payload, await layout.add(machine, payload, 'own'));
    } catch (error) {
      // That it is refused, for the other one is about it, says nothing of the other's.
      if (!(error instanceof Error)) throw error;
    }
  };

const MIXED = ['1', 'red/2', 'blue/3', 'red/4'];

export const HOME_SCENARIOS: readonly Scenario[] = [
  { name: 'share-1', jobsBefore: ['1'], main: processing },
  { name: 'share-2', jobsBefore: ['1', '2'], main: processing },
  { name: 'share-lane', jobsBefore: ['red/1', 'red/2'], main: processing },
  { name: 'share-mixed', jobsBefore: MIXED, main: processing },
  { name: 'share-again', jobsBefore: ['~1', 'red/~2', 'red/3'], main: processing },
  { name: 'share-failing', jobsBefore: ['!1', 'red/!2', 'red/3'], main: processing },
  { name: 'share-one-failing', jobsBefore: ['red/!1'], main: processing },
  { name: 'share-later', jobsBefore: ['later 1', 'red/later 2', 'red/3'], main: processing },
  { name: 'share-expired', jobsBefore: ['expired 1', '2'], main: processing },
  {
    name: 'share-free-after-a-killed-one',
    jobsBefore: ['1', '2'],
    main: processing,
    between: processing,
    mainDies: true,
  },
  { name: 'share-named', jobsBefore: ['named one'], main: processing, between: addingAgain('named one') },
  { name: 'put-free', jobsBefore: [], main: adding(['1', '2']) },
  { name: 'put-in-lane', jobsBefore: ['red/1'], main: adding(['red/2', 'red/3']) },
  { name: 'put-named', jobsBefore: [], main: inTurn(adding(['named one']), addingAgain('named one')) },
  {
    name: 'put-named-after-a-killed-one',
    jobsBefore: [],
    main: adding(['named one']),
    between: inTurn(addingAgain('named one'), processing),
    mainDies: true,
  },
  {
    name: 'put-named-beside-putting',
    jobsBefore: [],
    main: adding(['named one']),
    between: inTurn(addingAgain('named one'), processing),
  },
  { name: 'put-all', jobsBefore: ['red/0'], main: addingAll('1', 'red/2', 'red/3') },
  { name: 'put-then-share', jobsBefore: [], main: inTurn(adding(['red/1', '2']), processing) },
  { name: 'share-while-putting', jobsBefore: ['red/1'], main: adding(['red/2', '3']), between: processing },
  { name: 'put-while-sharing', jobsBefore: ['red/1', '2'], main: processing, between: adding(['red/3']) },
  { name: 'put-beside-putting', jobsBefore: [], main: adding(['red/1']), between: adding(['red/2']) },
  { name: 'share-beside-sharing', jobsBefore: MIXED, main: processing, between: processing },
  {
    name: 'share-after-a-killed-one',
    jobsBefore: ['1', 'red/2', 'red/3'],
    main: processing,
    between: processing,
    mainDies: true,
  },
  {
    name: 'share-after-a-stopped-one',
    jobsBefore: ['1', '~2', '!3'],
    main: processing,
    between: workingToTheEnd,
    mainStops: true,
  },
  {
    name: 'share-lane-after-a-stopped-one',
    jobsBefore: ['red/1', 'red/2'],
    main: processing,
    between: workingToTheEnd,
    mainStops: true,
  },
];

/** The smallest in which two meet. */
export const TWO_MEET: Scenario = {
  name: 'share-1-beside-sharing',
  jobsBefore: ['1'],
  main: processing,
  between: processing,
};

/** Of free jobs only. */
export const FREE_SCENARIOS = HOME_SCENARIOS.filter(({ name }) => /^share-(1|2|free-.*)$/.test(name));

/**
 * The search, for as long as one likes, and the replay of what it has found.
 *
 *     bun sim/run.ts [--seconds N] [--states N] [--seed N [--plan NAME=N,...]] [--case NAME] [--plant NAME]
 */

import { parseArgs } from 'node:util';
import { DIRQUEUE_VARIANTS, dirqueue, dirqueueStale } from './layouts/dirqueue.ts';
import { fsq } from './layouts/fsq.ts';
import { HOME_VARIANTS, home, homeOnce, homeTorn } from './layouts/home.ts';
import type { Layout } from './layouts/layout.ts';
import { SPOOL_VARIANTS, spool } from './layouts/spool.ts';
import { uow } from './layouts/uow.ts';
import type { Wrap } from './machine/machine.ts';
import { DIRQUEUE_PLANTS } from './planted/dirqueue-plants.ts';
import { FSQ_PLANTS } from './planted/fsq-plants.ts';
import { HOME_PLANTS } from './planted/home-plants.ts';
import { PLANTS } from './planted/plants.ts';
import { UOW_PLANTS } from './planted/uow-plants.ts';
import { caseNamed } from './search/cases.ts';
import { DIRQUEUE_SCENARIOS } from './search/dirqueue-scenarios.ts';
import { type Extent, exhaust } from './search/exhaust.ts';
import { type Explorer, exploreCase, type Found, newTally } from './search/explore.ts';
import { FAULT_CODES, LOST_REPLIES } from './search/faults.ts';
import { FSQ_SCENARIOS } from './search/fsq-scenarios.ts';
import { FREE_SCENARIOS } from './search/home-scenarios.ts';
import { NETWORKS, type Network, planWith } from './search/plan.ts';
import { type Failure, type RandomTally, replayCommand, searchSeeds, shrink } from './search/random.ts';
import { type Outcome, randomRun } from './search/random-run.ts';
import { UOW_SCENARIOS } from './search/uow-scenarios.ts';

const LAYOUTS: readonly Layout[] = [
  spool,
  ...SPOOL_VARIANTS,
  home,
  ...HOME_VARIANTS,
  homeOnce,
  dirqueue,
  ...DIRQUEUE_VARIANTS,
  dirqueueStale,
  fsq,
  uow,
];

const HELP = `Searches a simulated machine for crashes and races that break what a queue promises.

  bun sim/run.ts                     the small cases, then random runs of each network, 60 seconds in all
    --seconds N                      for so long
    --states N                       at most so many crash states
    --from N                         random runs from this seed on (default 1)
  bun sim/run.ts --seed N            one random run, step by step
    --network nfs|sync               of hosts that share a disk over the network, or have one each
    --plan NAME=N,...                with these changes, as a shrunk failure prints them
  bun sim/run.ts --case NAME         one small case with all its crash states, such as process-2/weak/fault=7:EIO
  Any of these with
    --layout NAME                    worked in another way: ${LAYOUTS.map(({ name }) => name).join(', ')}
    --plant NAME                     a deliberate mistake: ${[...PLANTS, ...HOME_PLANTS, ...DIRQUEUE_PLANTS, ...FSQ_PLANTS, ...UOW_PLANTS].map(({ name }) => name).join(', ')}

Exit code: 0 nothing found, 1 a promise was broken, 2 the command line is wrong.`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    states: { type: 'string', default: 'Infinity' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    layout: { type: 'string', default: spool.name },
    network: { type: 'string', default: 'local' },
    plan: { type: 'string', default: '' },
    case: { type: 'string' },
    plant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** The share of the time after which the small cases end: of queues that one works, and then of shared ones. */
const ALONE_SHARE = 0.5;
const SMALL_SHARE = 0.8;

/** The small cases. What is quick, or found the most, comes first: the time may not suffice for all. */
const EXTENTS: readonly (Extent & { readonly layouts?: readonly Layout[] })[] = [
  { profiles: ['lasting'] },
  { profiles: ['lasting'], isOverNetwork: true, codes: LOST_REPLIES },
  { profiles: ['weak'], layouts: SPOOL_VARIANTS },
  { profiles: ['weak'] },
  { profiles: ['weak'], isOverNetwork: true, codes: LOST_REPLIES },
  { profiles: ['ordered'] },
  { profiles: ['weak', 'ordered'], codes: FAULT_CODES },
];

const SHARED_EXTENTS: typeof EXTENTS = [
  { profiles: ['lasting'], layouts: [home, homeTorn] },
  { profiles: ['lasting'], layouts: [dirqueue, dirqueueStale], scenarios: DIRQUEUE_SCENARIOS },
  {
    profiles: ['lasting'],
    layouts: [dirqueue],
    scenarios: DIRQUEUE_SCENARIOS,
    isOverNetwork: true,
    codes: LOST_REPLIES,
  },
  { profiles: ['lasting'], layouts: [fsq], scenarios: FSQ_SCENARIOS },
  { profiles: ['lasting', 'ordered'], layouts: [uow], scenarios: UOW_SCENARIOS },
  { profiles: ['lasting'], layouts: [home], isOverNetwork: true, codes: LOST_REPLIES },
  {
    profiles: ['lasting'],
    layouts: [fsq],
    scenarios: FSQ_SCENARIOS,
    isOverNetwork: true,
    codes: LOST_REPLIES,
  },
  {
    profiles: ['ordered', 'weak'],
    layouts: [dirqueue, ...DIRQUEUE_VARIANTS],
    scenarios: DIRQUEUE_SCENARIOS,
  },
  { profiles: ['ordered', 'torn', 'weak'], layouts: [fsq], scenarios: FSQ_SCENARIOS },
  { profiles: ['ordered', 'torn', 'weak'], layouts: [home, ...HOME_VARIANTS] },
  { profiles: ['lasting', 'ordered'], layouts: [homeOnce], scenarios: FREE_SCENARIOS },
  { profiles: ['lasting'], layouts: [home], codes: FAULT_CODES },
];

const started = performance.now();
const elapsed = () => (performance.now() - started) / 1000;
const plant = values.plant === undefined ? undefined : ` --plant ${values.plant}`;
const say = (line: string) => console.log(line);

process.exitCode = await main();

async function main(): Promise<number> {
  if (values.help) {
    say(HELP);
    return 0;
  }
  const wrap = [...PLANTS, ...HOME_PLANTS, ...DIRQUEUE_PLANTS, ...FSQ_PLANTS, ...UOW_PLANTS].find(
    ({ name }) => name === values.plant,
  )?.wrap;
  if (values.plant !== undefined && wrap === undefined)
    throw new RangeError(`No such plant: ${values.plant}`);
  const layout = LAYOUTS.find(({ name }) => name === values.layout);
  if (layout === undefined) throw new RangeError(`No such layout: ${values.layout}`);
  const options = { layout, ...(wrap === undefined ? {} : { wrap }) };
  if (values.seed !== undefined) return replaySeed(options, Number(values.seed));
  if (values.case !== undefined) return replayCase(options, values.case);
  return search(options);
}

type Options = { readonly layout: Layout; readonly wrap?: Wrap };

async function search(options: Options): Promise<number> {
  const seconds = Number(values.seconds);
  const limit = Number(values.states);
  const tally = newTally();
  const until = (share: number) => () => elapsed() < share * seconds && tally.states < limit;
  const explorer = { ...options, tally, secondCrash: true };
  const crashes =
    (await smallCases({ ...explorer, goOn: until(ALONE_SHARE) }, EXTENTS)) ??
    (await smallCases({ ...explorer, goOn: until(SMALL_SHARE), secondCrash: false }, SHARED_EXTENTS));
  const rate = Math.round(tally.states / elapsed());
  say(
    `${tally.states} crash states at ${tally.moments} moments of ${tally.cases} cases in ${elapsed().toFixed(1)} s ` +
      `(${rate} a second), ${tally.recoveries} of them different and recovered; ${tally.cut} moments not complete`,
  );
  if (crashes !== undefined) return report(crashes);
  // A sync tool carries jobs to a queue that one host works: it has nothing to do with how many do so there.
  const shared = NETWORKS.slice(0, 2);
  const rounds = [
    ...(options.layout.isShared === true ? shared : NETWORKS).map((network) => ({ options, network })),
    ...[home, dirqueue, fsq]
      .filter((layout) => layout !== options.layout)
      .flatMap((layout) => shared.map((network) => ({ options: { ...options, layout }, network }))),
  ];
  for (const [at, { options, network }] of rounds.entries()) {
    const left = (seconds - elapsed()) / (rounds.length - at);
    const failure = await randomRuns(options, network, Math.max(left, 0));
    if (failure !== undefined) return reportRun(options, failure);
  }
  return 0;
}

async function smallCases(explorer: Explorer, extents: typeof EXTENTS): Promise<Found | undefined> {
  for (const { layouts = [explorer.layout], ...extent } of extents) {
    for (const layout of layouts) {
      const found = await exhaust({ ...explorer, layout }, extent);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function randomRuns(options: Options, network: Network, seconds: number): Promise<Failure | undefined> {
  const random: RandomTally = { runs: 0, steps: 0 };
  const since = elapsed();
  const goOn = () => elapsed() < since + seconds;
  const failure = await searchSeeds(options, Number(values.from), goOn, random, network);
  const stepRate = Math.round(random.steps / Math.max(elapsed() - since, 0.001));
  say(
    `${options.layout.name}, ${network}: ${random.runs} random runs, ${random.steps} steps (${stepRate} a second)`,
  );
  return failure;
}

async function reportRun(options: Options, failure: Failure): Promise<number> {
  tell(failure.outcome);
  const more = `${layoutOption(options.layout.name)}${plant ?? ''}`;
  say(`replay: ${replayCommand(failure, more)}`);
  const smallest: Failure = await shrink(options, failure);
  say(`shrunk: ${replayCommand(smallest, more)}`);
  return 1;
}

async function replaySeed(options: Options, seed: number): Promise<number> {
  const network = NETWORKS.find((one) => one === values.network);
  if (network === undefined) throw new RangeError(`Expected ${NETWORKS.join(' or ')}, got ${values.network}`);
  const outcome = await randomRun({
    ...options,
    seed,
    plan: planWith(seed, values.plan, network),
    trace: say,
  });
  tell(outcome);
  return outcome.violations.length > 0 ? 1 : 0;
}

/** A case is made of many runs: the trace that is printed is that of the last, which broke the promise. */
async function replayCase(options: Options, name: string): Promise<number> {
  const lines: string[] = [];
  const trace = (line: string) => {
    if (!line.startsWith(' ') || line.startsWith('  recovery 1')) lines.push(line);
  };
  const explorer = { ...options, tally: newTally(), goOn: () => true, secondCrash: true, trace };
  const { found } = await exploreCase(explorer, caseNamed(name));
  say(`${explorer.tally.states} crash states, ${explorer.tally.recoveries} recoveries`);
  if (found === undefined) return 0;
  const main = lines.filter((line) => !line.startsWith(' ') && !line.startsWith('/'));
  main.forEach((line, index) => {
    say(`${String(index + 1).padStart(4)} ${line}`);
  });
  say(['the disk after the power cut:', ...lines.filter((line) => line.startsWith('/'))].join('\n'));
  return report(found);
}

function report(found: Found): number {
  say(`broken in ${found.case}, power cut at ${found.at}`);
  for (const { promise, message } of found.violations) say(`  ${promise}: ${message}`);
  say(`replay: bun sim/run.ts --case ${found.case}${layoutOption(found.layout)}${plant ?? ''}`);
  return 1;
}

function layoutOption(name: string): string {
  return name === spool.name ? '' : ` --layout ${name}`;
}

function tell({ violations, hash, steps }: Outcome): void {
  for (const { promise, message } of violations) say(`  ${promise}: ${message}`);
  say(`${steps} steps, trace ${hash}${violations.length === 0 ? ', no promise broken' : ''}`);
}

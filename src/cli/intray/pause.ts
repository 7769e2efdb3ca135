/** `intray pause`, `resume` and `drain`: whether jobs may start. */

import { openKeeper } from '../../open/open.ts';
import { shellQuote } from '../../os/shell.ts';
import { sleep } from '../../os/sleep.ts';
import { formatSpan } from '../../os/span.ts';
import type { Keeper, WhatRuns } from '../../queue/keeper.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { progressFor } from '../terminal.ts';
import { exitStatus } from './exit-codes.ts';

type Args = {
  readonly operand: string;
  readonly more: readonly string[];
  readonly options: { readonly json: boolean };
};

type DrainArgs = Args & { readonly options: { readonly timeout: number | undefined } };

export async function pauseQueues(context: Context, args: Args): Promise<number> {
  for (const { keeper, changed } of await pauseAll(context, args)) {
    const queue = keeper.location;
    const runs = await keeper.whatRuns();
    if (args.options.json) await printJson(context, { queue, paused: true, changed, running: runs.jobs });
    else
      await context.print(
        `${queue}: ${changed ? '' : 'was paused already; '}${pausedSentence(keeper, runs)}\n`,
      );
  }
  return exitStatus('done');
}

export async function resumeQueues(context: Context, args: Args): Promise<number> {
  for (const keeper of await keepersOf(context, args)) {
    const queue = keeper.location;
    const changed = await keeper.resume();
    if (args.options.json) await printJson(context, { queue, paused: false, changed });
    else await context.print(`${queue}: ${changed ? 'jobs may start again' : 'it was not paused'}\n`);
  }
  return exitStatus('done');
}

/** How often is looked whether jobs still run; longer than a worker takes to notice a pause. */
const LOOK_MS = 200;

export async function drainQueues(context: Context, args: DrainArgs): Promise<number> {
  const { machine, print, log } = context;
  const { json, timeout = Number.POSITIVE_INFINITY } = args.options;
  const keepers = (await pauseAll(context, args)).map(({ keeper }) => keeper);
  const deadline = machine.clock.monotonicMs() + timeout;
  // A worker that had just looked whether the queue is paused may start one more job.
  await sleep(machine.clock, LOOK_MS);
  const progress = await progressFor(machine);
  let drained = true;
  for (const keeper of keepers) {
    const queue = keeper.location;
    let runs = await keeper.whatRuns();
    while (isBusy(runs) && machine.clock.monotonicMs() < deadline) {
      await progress.say(`${queue}: ${stillRunning(keeper, runs)}`);
      await sleep(machine.clock, LOOK_MS);
      runs = await keeper.whatRuns();
    }
    await progress.clear();
    drained &&= !isBusy(runs);
    if (json) await printJson(context, { queue, paused: true, drained: !isBusy(runs), running: runs.jobs });
    else if (isBusy(runs)) {
      await log(
        'error',
        `${queue}: after ${formatSpan(timeout)} ${stillRunning(keeper, runs)}; the queue is paused`,
      );
    } else
      await print(
        `${queue}: no job runs, and none will start until ${resumeCommand(queue)}${abandonedNote(runs)}\n`,
      );
  }
  return exitStatus(drained ? 'done' : 'error');
}

async function keepersOf({ machine }: Context, { operand, more }: Args): Promise<Keeper[]> {
  const keepers: Keeper[] = [];
  for (const queue of [operand, ...more]) keepers.push(await openKeeper(machine, queue));
  return keepers;
}

/** All of them, before anything is waited for. */
async function pauseAll(
  context: Context,
  args: Args,
): Promise<{ readonly keeper: Keeper; readonly changed: boolean }[]> {
  const done: { keeper: Keeper; changed: boolean }[] = [];
  for (const keeper of await keepersOf(context, args)) {
    const changed = !(await keeper.isPaused());
    await keeper.pause();
    done.push({ keeper, changed });
  }
  return done;
}

function isBusy({ jobs, alone }: WhatRuns): boolean {
  return jobs > 0 || alone;
}

function stillRunning({ layout }: Keeper, { jobs, alone }: WhatRuns): string {
  if (alone && layout === 'filespooler') return 'fspl is still working it, which does not know of pauses';
  if (alone) return 'another program is still working it, which may not know of pauses';
  return jobs === 1 ? '1 job is still running' : `${jobs} jobs are still running`;
}

function pausedSentence(keeper: Keeper, runs: WhatRuns): string {
  const now = isBusy(runs) ? `; ${stillRunning(keeper, runs)}` : '';
  return `no job will start until ${resumeCommand(keeper.location)}${now}`;
}

function abandonedNote({ abandoned }: WhatRuns): string {
  if (abandoned === 0) return '';
  return abandoned === 1
    ? '; 1 job of a worker that died is started again then'
    : `; ${abandoned} jobs of workers that died are started again then`;
}

function resumeCommand(queue: string): string {
  return `\`intray resume ${shellQuote(queue)}\``;
}

/** `intray pause`, `resume` and `drain`: whether jobs may start. */

import { sleep } from '../../os/sleep.ts';
import { isPaused, pause, resume } from '../../spool/home/rooms.ts';
import { type Running, whatRuns } from '../../spool/home/running.ts';
import { requireQueue } from '../../spool/queue-files.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { shellQuote } from '../shell.ts';
import { progressFor } from '../terminal.ts';
import { formatDuration } from '../time.ts';
import { exitStatus } from './exit-codes.ts';

type Args = {
  readonly operand: string;
  readonly more: readonly string[];
  readonly options: { readonly json: boolean };
};

type DrainArgs = Args & { readonly options: { readonly timeout: number | undefined } };

export async function pauseQueues(context: Context, args: Args): Promise<number> {
  for (const { queue, changed } of await pauseAll(context, args)) {
    const runs = await whatRuns(context.machine, queue);
    if (args.options.json) await printJson(context, { queue, paused: true, changed, running: runs.jobs });
    else
      await context.print(
        `${queue}: ${changed ? '' : 'was paused already; '}${pausedSentence(queue, runs)}\n`,
      );
  }
  return exitStatus('done');
}

export async function resumeQueues(context: Context, args: Args): Promise<number> {
  const { machine, print } = context;
  for (const queue of await queuesOf(context, args)) {
    const changed = await resume(machine, queue);
    if (args.options.json) await printJson(context, { queue, paused: false, changed });
    else await print(`${queue}: ${changed ? 'jobs may start again' : 'it was not paused'}\n`);
  }
  return exitStatus('done');
}

/** How often is looked whether jobs still run; longer than a worker takes to notice a pause. */
const LOOK_MS = 200;

export async function drainQueues(context: Context, args: DrainArgs): Promise<number> {
  const { machine, print, log } = context;
  const { json, timeout = Number.POSITIVE_INFINITY } = args.options;
  const queues = (await pauseAll(context, args)).map(({ queue }) => queue);
  const deadline = machine.clock.monotonicMs() + timeout;
  // A worker that had just looked whether the queue is paused may start one more job.
  await sleep(machine.clock, LOOK_MS);
  const progress = await progressFor(machine);
  let drained = true;
  for (const queue of queues) {
    let runs = await whatRuns(machine, queue);
    while (isBusy(runs) && machine.clock.monotonicMs() < deadline) {
      await progress.say(`${queue}: ${stillRunning(runs)}`);
      await sleep(machine.clock, LOOK_MS);
      runs = await whatRuns(machine, queue);
    }
    await progress.clear();
    drained &&= !isBusy(runs);
    if (json) await printJson(context, { queue, paused: true, drained: !isBusy(runs), running: runs.jobs });
    else if (isBusy(runs)) {
      await log(
        'error',
        `${queue}: after ${formatDuration(timeout)} ${stillRunning(runs)}; the queue is paused`,
      );
    } else
      await print(
        `${queue}: no job runs, and none will start until ${resumeCommand(queue)}${abandonedNote(runs)}\n`,
      );
  }
  return exitStatus(drained ? 'done' : 'error');
}

async function queuesOf({ machine }: Context, { operand, more }: Args): Promise<string[]> {
  const queues = [operand, ...more];
  for (const queue of queues) await requireQueue(machine, queue);
  return queues;
}

/** All of them, before anything is waited for. */
async function pauseAll(
  context: Context,
  args: Args,
): Promise<{ readonly queue: string; readonly changed: boolean }[]> {
  const done: { queue: string; changed: boolean }[] = [];
  for (const queue of await queuesOf(context, args)) {
    const changed = !(await isPaused(context.machine, queue));
    await pause(context.machine, queue);
    done.push({ queue, changed });
  }
  return done;
}

function isBusy({ jobs, alone }: Running): boolean {
  return jobs > 0 || alone;
}

function stillRunning({ jobs, alone }: Running): string {
  if (alone) return 'fspl is still working it, which does not know of pauses';
  return jobs === 1 ? '1 job is still running' : `${jobs} jobs are still running`;
}

function pausedSentence(queue: string, runs: Running): string {
  const now = isBusy(runs) ? `; ${stillRunning(runs)}` : '';
  return `no job will start until ${resumeCommand(queue)}${now}`;
}

function abandonedNote({ abandoned }: Running): string {
  if (abandoned === 0) return '';
  return abandoned === 1
    ? '; 1 job of a worker that died is started again then'
    : `; ${abandoned} jobs of workers that died are started again then`;
}

function resumeCommand(queue: string): string {
  return `\`intray resume ${shellQuote(queue)}\``;
}

import { type Descriptor, type Machine, STDIN } from '../../os/ports.ts';
import { packetEnvironment } from '../../packet/environment.ts';
import type { Work } from '../../packet/header.ts';
import type { Claim, Job } from '../../queue/contract.ts';
import { QueueError } from '../../queue/errors.ts';
import { openSession } from '../../spool/session.ts';
import { bothTo, commandFor } from '../../worker/job-command.ts';
import { type ProcessReport, processQueue } from '../../worker/process-queue.ts';
import { type CommandOutcome, outcomeWithout, runCommand } from '../../worker/run-command.ts';
import { startWatchdog, type Watchdog } from '../../worker/watchdog.ts';
import type { Context } from '../context.ts';
import { groupFor } from '../process-group.ts';
import { untilStopped } from '../stop-signals.ts';
import { decoderOf } from './queue.ts';
import { reportUnreadable } from './report.ts';
import { headerFromStdin } from './stdin.ts';

type Running = {
  readonly options: {
    readonly 'allow-job-params': boolean;
    readonly 'ignore-payload': boolean;
    readonly timeout: bigint | undefined;
  };
  readonly operand: string;
  readonly rest: readonly string[];
};

type Queue = {
  readonly options: {
    readonly queuedir: string;
    readonly decoder: string | undefined;
    readonly maxjobs: bigint | undefined;
    readonly 'never-delete': boolean;
    readonly 'on-error': 'Delete' | 'Leave' | 'Retry' | undefined;
    readonly 'order-by': 'Sequence' | 'Timestamp' | undefined;
    readonly 'output-to': 'PassBoth' | 'SaveBoth' | undefined;
  };
};

export async function queueProcess(context: Context, args: Running & Queue): Promise<number> {
  return untilStopped(context.machine, (stop) => processUntil(context, args, stop));
}

async function processUntil(context: Context, args: Running & Queue, stop: AbortSignal): Promise<number> {
  const { machine } = context;
  const { options } = args;
  const onError = options['on-error'] ?? 'Retry';
  const group = await groupFor(machine);
  const session = await openSession(machine, options.queuedir, {
    order: options['order-by'] === 'Timestamp' ? 'creation' : 'sequence',
    decoder: await decoderOf(machine, args, stop),
    keepSucceeded: options['never-delete'],
    keepFailed: options['never-delete'] || onError === 'Leave',
  });
  let watchdog: Watchdog | undefined;
  try {
    const told = session.unreadable.length;
    await reportUnreadable(context, session.unreadable);
    const report = await processQueue(session, {
      onFailure: onError === 'Retry' ? 'retry' : 'proceed',
      maxJobs: options.maxjobs === undefined ? undefined : Number(options.maxjobs),
      stop,
      run: async (claim) => {
        watchdog ??= await startWatchdog(machine, session.lock);
        return runForClaim(context, args, claim, { stop, watchdog, group });
      },
      onFailed: async (job, reason) => {
        if (onError === 'Retry') return; // told as the error that ends us
        await context.log('error', `${options.queuedir}: job ${job.seq} (${fileOf(job)}) failed: ${reason}`);
      },
    });
    await reportUnreadable(context, session.unreadable.slice(told));
    return await conclude(context, options.queuedir, report);
  } finally {
    await watchdog?.dismiss();
    await session.close();
  }
}

async function runForClaim(
  context: Context,
  args: Running & Queue,
  claim: Claim,
  surroundings: Pick<JobRun, 'stop' | 'watchdog' | 'group'>,
): Promise<CommandOutcome> {
  const { machine } = context;
  const output = await openOutput(machine, args, claim);
  try {
    return await runWith(context, args, {
      work: claim.job.work,
      env: claim.env,
      payload: claim.payload,
      output,
      ...surroundings,
    });
  } finally {
    if (output !== undefined) await machine.files.close(output);
  }
}

/** With `--output-to SaveBoth`: `jobs/<job file>.out`, emptied. */
async function openOutput(machine: Machine, args: Queue, claim: Claim): Promise<Descriptor | undefined> {
  if (args.options['output-to'] !== 'SaveBoth') return undefined;
  const path = claim.env.find(([name]) => name === 'FSPL_JOB_FULLPATH')?.[1] ?? '';
  return machine.files.open(`${path}.out`, 'truncate');
}

/** The original's users know a job by the name of its file. */
function fileOf({ path }: Job): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What the original says in silence: where a queue stands when nothing more can run. */
async function conclude(context: Context, queue: string, report: ProcessReport): Promise<number> {
  const { ended } = report;
  if (ended.kind === 'failed') {
    const { job, reason } = ended;
    throw new QueueError(
      'command-failed',
      `${queue}: job ${job.seq} (${fileOf(job)}) failed: ${reason}; it stays and is tried again next time`,
    );
  }
  if (ended.kind === 'stopped') return 1;
  if (ended.kind === 'idle' && ended.reason === 'gap') {
    const behind = ended.waiting === 1 ? '1 later job waits' : `${ended.waiting} later jobs wait`;
    await context.log(
      'warn',
      `${queue}: job ${ended.missing} is missing; ${behind} behind it, the first is job ${ended.next}`,
    );
  }
  return 0;
}

export async function stdinProcess(context: Context, args: Running): Promise<number> {
  const { machine } = context;
  const header = await headerFromStdin(context);
  const outcome = await untilStopped(machine, async (stop) => {
    const watchdog = await startWatchdog(machine);
    try {
      return await runWith(context, args, {
        work: header.work,
        env: packetEnvironment(header, machine.clock),
        payload: STDIN,
        output: undefined,
        stop,
        watchdog,
        group: await groupFor(machine),
      });
    } finally {
      await watchdog.dismiss();
    }
  });
  if (outcome.kind === 'failed') throw new QueueError('command-failed', `${args.operand}: ${outcome.reason}`);
  return outcome.kind === 'succeeded' ? 0 : 1;
}

type JobRun = {
  readonly work: Work;
  readonly env: Claim['env'];
  readonly payload: Descriptor;
  readonly output: Descriptor | undefined;
  readonly stop: AbortSignal;
  readonly watchdog: Watchdog;
  readonly group: 'own' | 'ours';
};

async function runWith(context: Context, args: Running, job: JobRun): Promise<CommandOutcome> {
  if (job.work.kind !== 'command') return outcomeWithout(job.work);
  const { machine } = context;
  const { options } = args;
  const allowJobParams = options['allow-job-params'];
  if (!allowJobParams && job.work.params.length > 0) {
    await context.log(
      'warn',
      'the arguments that came with the job are left out; --allow-job-params adds them',
    );
  }
  const line = { program: args.operand, args: args.rest, allowJobParams };
  const command = commandFor(machine, line, job, {
    // As with the original, --ignore-payload leaves the command our own standard input.
    ...(options['ignore-payload'] ? {} : { stdin: job.payload }),
    ...(job.output === undefined ? {} : bothTo(job.output)),
    group: job.group,
  });
  const timeoutMs = options.timeout === undefined ? undefined : Number(options.timeout) * 1000;
  return runCommand(machine, command, { timeoutMs, stop: job.stop, watchdog: job.watchdog });
}

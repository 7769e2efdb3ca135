/** `dq-deque` and `dq-server`: a command on one job, or on every job. */

import type { DirQueueClaim } from '../../dirqueue/claim.ts';
import { openDirQueue } from '../../dirqueue/dirqueue.ts';
import type { Queue } from '../../queue/contract.ts';
import { type PoolReport, type Ran, runPool } from '../../worker/pool.ts';
import { type CommandOutcome, runCommand } from '../../worker/run-command.ts';
import type { Context } from '../context.ts';
import { printJsonLine } from '../json.ts';
import { untilStopped } from '../stop-signals.ts';
import type { Given } from './options.ts';

/** How long commands that run may go on when we are told to stop. */
const GRACE_MS = 10_000;

/** As the original: the job is over however its command ends, unless failed ones are to be kept. */
export async function deque(context: Context, given: Given): Promise<number> {
  const report = await serve(context, given, {
    keepWaiting: false,
    maxJobs: 1,
    concurrency: 1,
    isServer: false,
  });
  const { succeeded, failed } = report.counts;
  if (succeeded + failed === 0 && !given.flags.has('json')) await context.print('no jobs left\n');
  for (const [{ location }, { reason }] of report.idle) {
    if (reason === 'paused') await context.log('warn', `${location}: it is paused: no job starts`);
  }
  return failed > 0 ? 1 : 0;
}

export async function server(context: Context, given: Given): Promise<number> {
  const { values } = given;
  const njobs = values.get('njobs')?.[0];
  await serve(context, given, {
    keepWaiting: true,
    maxJobs: njobs === undefined ? undefined : Number(njobs),
    concurrency: Number(values.get('workers')?.[0] ?? 1),
    isServer: true,
  });
  return 0;
}

type Manner = {
  readonly keepWaiting: boolean;
  readonly maxJobs: number | undefined;
  readonly concurrency: number;
  readonly isServer: boolean;
};

async function serve(context: Context, given: Given, manner: Manner): Promise<PoolReport> {
  const { machine } = context;
  const queue = await openDirQueue(machine, given.values.get('dir')?.[0] ?? '');
  const keepFailed = given.flags.has('keep-failed');
  const tell = new Teller(context, given, manner);
  const trouble = new AbortController();
  const report = await untilStopped(machine, (stop) =>
    runPool(machine, {
      queues: [{ ...queue, join: (options) => queue.join({ ...options, keepFailed }) }] satisfies Queue[],
      concurrency: manner.concurrency,
      keepWaiting: manner.keepWaiting,
      maxJobs: manner.maxJobs,
      graceMs: GRACE_MS,
      join: {},
      stop: AbortSignal.any([stop, trouble.signal]),
      run: async (shared, { stop: end, watchdog }) => {
        const claim = shared as DirQueueClaim; // the queue is one of ours
        const [program = '', ...args] = given.words;
        await tell.running(claim);
        const outcome = await runCommand(
          machine,
          {
            program,
            args: [...args, claim.dataPath],
            env: new Map([...machine.host.env(), ...claim.env]),
          },
          { stop: end, watchdog: await watchdog() },
        );
        // Before another is started: `finished` means that this one is over.
        const ran = await tell.ended(claim, outcome, keepFailed);
        return async () => ran;
      },
      onTrouble: async (_, error) => trouble.abort(error),
      onUnreadable: (_, unreadable) => tell.unreadable(unreadable),
    }),
  );
  if (trouble.signal.aborted) throw trouble.signal.reason;
  return report;
}

/** Says what happens, as the original does or as JSON. */
class Teller {
  readonly #context: Context;
  readonly #given: Given;
  readonly #isServer: boolean;
  readonly #told = new Set<string>();

  constructor(context: Context, given: Given, { isServer }: Manner) {
    this.#context = context;
    this.#given = given;
    this.#isServer = isServer;
  }

  get #asJson(): boolean {
    return this.#given.flags.has('json');
  }

  async running({ dataPath }: DirQueueClaim): Promise<void> {
    if (!this.#isServer || this.#asJson) return;
    await this.#context.print(`running ${[...this.#given.words, dataPath].join(' ')}\n`);
  }

  async ended(claim: DirQueueClaim, outcome: CommandOutcome, keepFailed: boolean): Promise<Ran> {
    if (outcome.kind === 'stopped') {
      await claim.release();
      return 'given-back';
    }
    const failed = outcome.kind === 'failed';
    const settled = failed && keepFailed ? await claim.fail(outcome.reason) : await claim.succeed();
    if (failed) await this.#context.complain(`command failed: ${failureOf(outcome)}\n`);
    if (this.#asJson) {
      const kept = failed && keepFailed;
      const reason = failed ? { reason: outcome.reason } : {};
      await printJsonLine(this.#context, { id: claim.job.id, ok: !failed, ...reason, kept, settled });
    } else await this.#context.print('finished\n');
    if (settled === 'lost') return 'lost';
    return failed && keepFailed ? 'failed' : 'succeeded';
  }

  /** Once for each. */
  unreadable(files: readonly { readonly path: string; readonly message: string }[]): void {
    for (const { path, message } of files) {
      if (this.#told.has(path)) continue;
      this.#told.add(path);
      void this.#context.log('warn', `${path}: ${message}; it is stepped over`);
    }
  }
}

/** As the original says it: `exit=N`; of a command that a signal has ended `signal=N`. */
function failureOf({ exit, reason }: Extract<CommandOutcome, { kind: 'failed' }>): string {
  if (exit === undefined) return reason;
  return exit.kind === 'exited' ? `exit=${exit.code}` : `signal=${exit.signal}`;
}

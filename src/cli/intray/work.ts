import { namedQueues } from '../../open/find.ts';
import { type Machine, STDERR } from '../../os/ports.ts';
import type { BlockedPolicy } from '../../queue/contract.ts';
import { type ServeOptions, serveQueues } from '../../worker/serve.ts';
import type { Context } from '../context.ts';
import { untilStopped } from '../stop-signals.ts';
import { UsageProblem } from '../usage.ts';
import { exitStatus } from './exit-codes.ts';
import { checkNotices, type NoticeArgs, noticesFor } from './notice-options.ts';
import { workEnding } from './work-ending.ts';
import { JsonTeller } from './work-json.ts';
import type { Teller } from './work-problems.ts';
import { WordsTeller } from './work-words.ts';

export type WorkArgs = {
  readonly operand: string;
  readonly more: readonly string[];
  readonly rest: readonly string[];
  readonly options: {
    readonly jobs: number | undefined;
    readonly retries: number | undefined;
    readonly backoff: number | undefined;
    readonly timeout: number | undefined;
    readonly watch: boolean;
    readonly 'max-jobs': number | undefined;
    readonly keep: boolean;
    readonly output: 'log' | 'inherit' | undefined;
    readonly 'exit-codes': 'plain' | 'qmail' | undefined;
    readonly blocked: 'hold' | 'skip' | 'drop' | undefined;
    readonly 'blocked-after': number | undefined;
    readonly lease: number | undefined;
    readonly grace: number | undefined;
    readonly decoder: string | undefined;
    readonly 'allow-job-params': boolean;
    readonly json: boolean;
  } & NoticeArgs;
};

const DEFAULT_GRACE_MS = 10_000;

export async function work(context: Context, args: WorkArgs): Promise<number> {
  checkTogether(args);
  const { machine } = context;
  const { options } = args;
  const queues = await namedQueues(machine, [args.operand, ...args.more], { mayCome: options.watch });
  const teller = options.json ? new JsonTeller(context) : await wordsTeller(context, args);
  const graceMs = options.grace ?? DEFAULT_GRACE_MS;
  const notices = await noticesFor(machine, args.operand, queues, options, (sentence) =>
    teller.notices(sentence),
  );
  return untilStopped(machine, async (signal) => {
    signal.addEventListener('abort', () => {
      teller.stopping(graceMs);
    });
    const stopTelling = teller.begin(queues);
    try {
      const handler = commandOf(args);
      const report = await serveQueues(machine, queues.find, handler, {
        ...serveOptions(args, teller),
        ...(notices === undefined ? {} : { onFailing: (job, queue) => notices.accept(job, queue) }),
        graceMs,
        signal,
      }).finally(() => notices?.finish(signal.aborted));
      const end = workEnding(report, teller);
      await stopTelling();
      await teller.concluded(report, end);
      return exitStatus(end.ending);
    } finally {
      await stopTelling();
    }
  });
}

function checkTogether({ options }: WorkArgs): void {
  checkNotices(options);
  if (options.json && options.output === 'inherit') {
    throw new UsageProblem('`--json` and `--output inherit` would both write to standard output');
  }
  if (options['blocked-after'] !== undefined && (options.blocked ?? 'hold') === 'hold') {
    throw new UsageProblem(
      '`--blocked-after` says when to `--blocked skip` or `drop`; without these nothing is skipped',
    );
  }
  if (options.backoff !== undefined && options.retries === undefined && options['exit-codes'] !== 'qmail') {
    throw new UsageProblem('`--backoff` is the wait before a retry, and there are none without `--retries`');
  }
}

function commandOf({ rest, options }: WorkArgs) {
  const [program = '', ...args] = rest;
  return {
    program,
    args,
    allowJobParams: options['allow-job-params'],
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
  };
}

function serveOptions({ options }: WorkArgs, teller: Teller): ServeOptions {
  const { jobs = 1, retries = 0, backoff, output = 'log', lease, decoder } = options;
  const blocked = blockedPolicy(options.blocked, options['blocked-after']);
  return {
    concurrency: jobs,
    retries,
    output,
    exitCodes: options['exit-codes'] ?? 'plain',
    keepWaiting: options.watch,
    keepSucceeded: options.keep,
    ...(backoff === undefined ? {} : { backoff: { firstMs: backoff } }),
    ...(options['max-jobs'] === undefined ? {} : { maxJobs: options['max-jobs'] }),
    ...(lease === undefined ? {} : { leaseMs: lease }),
    ...(blocked === undefined ? {} : { blocked }),
    ...(decoder === undefined ? {} : { decoder }),
    onStarted: (job, queue, attempt) => teller.started(job, queue, attempt),
    onEnded: (job, queue, ended) => teller.ended(job, queue, ended),
    onTrouble: (queue, error) => teller.trouble(queue, error),
    onUnreadable: (queue, files) => teller.unreadable(queue, files),
    onNoEvents: (queue) => teller.noEvents(queue),
  };
}

function blockedPolicy(
  action: BlockedPolicy['action'] | undefined,
  afterMs: number | undefined,
): BlockedPolicy | undefined {
  return action === undefined ? undefined : { action, ...(afterMs === undefined ? {} : { afterMs }) };
}

async function wordsTeller(context: Context, { options }: WorkArgs): Promise<Teller> {
  const inherit = options.output === 'inherit';
  const terminal = await showsProgress(context.machine);
  return new WordsTeller(context, {
    logged: !inherit,
    terminal,
    // What the commands say would be written into that line.
    progress: terminal && !inherit,
    retries: options.retries ?? 0,
    paramsAllowed: options['allow-job-params'],
    watch: options.watch,
  });
}

async function showsProgress({ host }: Machine): Promise<boolean> {
  return host.env().get('TERM') !== 'dumb' && (await host.isTerminal(STDERR));
}

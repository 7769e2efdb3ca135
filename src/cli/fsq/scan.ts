/** `fsq scan`: runs a program for each item, one after the other; the syncing of what is over goes on beside it. */

import type { Place } from '../../fsq/place.ts';
import { hosts } from '../../fsq/queues.ts';
import { scan, type WorkItem } from '../../fsq/scan.ts';
import { listen } from '../../fsq/trigger.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import type { Exit } from '../../os/ports.ts';
import { sleep } from '../../os/sleep.ts';
import { type CommandOutcome, runCommand } from '../../worker/run-command.ts';
import { startWatchdog, type Watchdog } from '../../worker/watchdog.ts';
import { groupFor } from '../process-group.ts';
import { untilStopped } from '../stop-signals.ts';
import { type FsqArguments, type FsqContext, hostPlace, note, queuePlace } from './context.ts';
import { refusedNote, type Scanning, scanningConstants } from './scanning.ts';

type Options = Scanning & {
  readonly env: boolean;
  readonly 'no-env': boolean;
  readonly 'no-open': boolean;
  readonly 'empty-ok': boolean;
  readonly 'success-code': number | undefined;
  readonly 'fail-tmp-code': number | undefined;
  readonly 'fail-perm-code': number | undefined;
  readonly 'all-hosts': boolean;
  readonly host: readonly string[];
  readonly 'max-rate': number | undefined;
  readonly forever: boolean;
};

/** Items that are over wait for the disk together, as long as they are not more than this. */
const SETTLING_LIMIT = 256;
/** How often a queue is scanned though its trigger is not pulled: items to be tried again pull none. */
const LOOK_AGAIN_MS = 60_000;

export async function scanQueue(context: FsqContext, args: FsqArguments<Options>): Promise<number> {
  const { machine } = context;
  return untilStopped(machine, async (stop) => {
    const scanning = new ScanCommand(context, args, stop, await groupFor(machine));
    try {
      return args.options.forever ? await forever(context, args, scanning, stop) : await scanning.once();
    } finally {
      await scanning.end();
    }
  });
}

/** The FIFO is open before the first scan: what is pulled meanwhile is not missed. */
async function forever(
  context: FsqContext,
  args: FsqArguments<Options>,
  scanning: ScanCommand,
  stop: AbortSignal,
): Promise<number> {
  const { machine, constants } = context;
  const [place] = await placesFor(context, args);
  const listener = await listen(machine, place?.trigger ?? '');
  const stopped = new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve()));
  let pulled: Promise<void> | undefined;
  try {
    while (!stop.aborted) {
      const status = await scanning.once();
      if (status !== constants.success) return status;
      pulled ??= listener.pulled().then(() => {
        pulled = undefined;
      });
      let cancel = () => {};
      const later = new Promise<void>((resolve) => {
        cancel = machine.clock.after(LOOK_AGAIN_MS, resolve);
      });
      await Promise.race([pulled, stopped, later]);
      cancel();
    }
    return constants.success;
  } finally {
    await listener.close();
  }
}

/** The queue itself, or the parts of those hosts that were named. */
async function placesFor(context: FsqContext, { options, operand }: FsqArguments<Options>): Promise<Place[]> {
  const queue = await queuePlace(context, operand);
  if (!options['all-hosts'] && options.host.length === 0) return [queue];
  const all = options['all-hosts'] ? await hosts(context.machine, queue.directory, context.constants) : [];
  const places: Place[] = [];
  for (const host of new Set([...all, ...options.host])) places.push(await hostPlace(context, operand, host));
  return places;
}

class ScanCommand {
  readonly #context: FsqContext;
  readonly #args: FsqArguments<Options>;
  readonly #stop: AbortSignal;
  readonly #group: 'own' | 'ours';
  readonly #settling = new Set<Promise<unknown>>();
  #watchdog: Watchdog | undefined;
  #failure: { readonly error: unknown } | undefined;
  #startedMs = Number.NEGATIVE_INFINITY;

  constructor(context: FsqContext, args: FsqArguments<Options>, stop: AbortSignal, group: 'own' | 'ours') {
    this.#context = context;
    this.#args = args;
    this.#stop = stop;
    this.#group = group;
  }

  async once(): Promise<number> {
    const { machine, constants } = this.#context;
    const { options } = this.#args;
    let killed = false;
    for (const place of await placesFor(this.#context, this.#args)) {
      const own = scanningConstants(constants, options);
      const rules = { ...own, lock: own.lock && !options['no-open'] };
      const works = scan(machine, place, rules, {
        ignoreDown: options['ignore-down'],
        onRefused: refusedNote(this.#context),
      });
      for await (const work of works) {
        await this.#keepRate();
        if (this.#stop.aborted) break;
        killed = (await this.#run(work)) === 'killed';
        if (this.#settling.size >= SETTLING_LIMIT) await Promise.race(this.#settling);
        if (killed || this.#failure !== undefined) break;
      }
      await Promise.all(this.#settling);
      if (this.#failure !== undefined) throw this.#failure.error;
      if (killed || this.#stop.aborted) return constants.failTmp;
    }
    return constants.success;
  }

  async end(): Promise<void> {
    await Promise.allSettled(this.#settling);
    await this.#watchdog?.dismiss();
  }

  async #keepRate(): Promise<void> {
    const { clock } = this.#context.machine;
    const rate = this.#args.options['max-rate'] ?? 0;
    if (rate > 0) {
      const waitMs = this.#startedMs + 1000 / rate - clock.monotonicMs();
      if (waitMs > 0) await sleep(clock, waitMs);
    }
    this.#startedMs = clock.monotonicMs();
  }

  /** `killed`: what becomes of other items would be the same. */
  async #run(work: WorkItem): Promise<'went-on' | 'killed'> {
    const outcome = await this.#start(work);
    if (outcome.kind === 'stopped') {
      await work.release();
      return 'went-on';
    }
    const exit: Exit = outcome.kind === 'succeeded' ? { kind: 'exited', code: 0 } : exitOf(outcome);
    const reason = outcome.kind === 'failed' ? outcome.reason : 'it ended with exit code 0';
    await this.#settle(work, exit, reason);
    return exit.kind === 'signaled' ? 'killed' : 'went-on';
  }

  async #start({ claim, item }: WorkItem): Promise<CommandOutcome> {
    const { machine } = this.#context;
    const { options, more } = this.#args;
    const [program = '', ...args] = more;
    const env = options['no-env'] && !options.env ? [] : claim.env;
    this.#watchdog ??= await startWatchdog(machine);
    const nothing = options['no-open'] ? await machine.files.open('/dev/null', 'read') : undefined;
    try {
      const command = {
        program,
        args: [...args, ...item.args],
        env: new Map([...machine.host.env(), ...env]),
        stdin: nothing ?? claim.payload,
        group: this.#group,
        ...(nothing === undefined ? { extra: [claim.payload] } : {}),
      };
      return await runCommand(machine, command, { stop: this.#stop, watchdog: this.#watchdog });
    } finally {
      if (nothing !== undefined) await closeQuietly(machine.files, nothing);
    }
  }

  async #settle(work: WorkItem, exit: Exit, reason: string): Promise<void> {
    const { constants, complain } = this.#context;
    const { options, operand } = this.#args;
    const code = exit.kind === 'exited' ? exit.code : undefined;
    const isDone = code === (options['success-code'] ?? constants.success);
    const isTmp = code === (options['fail-tmp-code'] ?? constants.failTmp);
    const say = (what: string) =>
      note(this.#context, options.verbose, `${operand}: ${work.item.name} ${what}`);
    if (isDone) {
      this.#beside(options['no-done'] ? work.release() : work.done());
      return say('done');
    }
    await complain(`fsq: ${operand}: ${work.item.name}: ${reason}\n`);
    this.#beside(isTmp ? work.failTmp(reason) : work.fail(reason));
  }

  #beside(settling: Promise<unknown>): void {
    const settled = settling
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#settling.delete(settled));
    this.#settling.add(settled);
  }
}

function exitOf({ exit }: Extract<CommandOutcome, { kind: 'failed' }>): Exit {
  return exit ?? { kind: 'exited', code: 255 };
}

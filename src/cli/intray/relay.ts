/** `intray relay`: which of its four ways is meant, and how it went. */

import type { Machine } from '../../os/ports.ts';
import { QueueError } from '../../queue/errors.ts';
import { refuseSameQueue } from '../../queue/same-queue.ts';
import { parseSshAddress, type SshAddress } from '../../relay/address.ts';
import { localTarget, openLocal } from '../../relay/local-target.ts';
import { newPace } from '../../relay/pace.ts';
import { relayJobs } from '../../relay/relay.ts';
import { connectBySsh } from '../../relay/ssh.ts';
import type { Target } from '../../relay/target.ts';
import { ownPipes } from '../../relay/wire/connection.ts';
import { type RemoteOptions, RemoteTarget } from '../../relay/wire/giver.ts';
import type { Context } from '../context.ts';
import { untilStopped } from '../stop-signals.ts';
import { UsageProblem } from '../usage.ts';
import { type RelayArgs, sshOptions } from './relay-args.ts';
import { fetchJobs, serveTaker } from './relay-taking.ts';
import { newRelayTeller } from './relay-teller.ts';
import { workEnding } from './work-ending.ts';

const DEFAULT_GRACE_MS = 10_000;

export async function relay(context: Context, args: RelayArgs): Promise<number> {
  const { operand, options } = args;
  const [target] = args.more;
  checkTogether(args, target);
  if (options.serve && !options.give) return serveTaker(context, args);
  if (target === undefined) return give(context, args, { toOurPipes: true });
  const from = parseSshAddress(operand);
  const to = parseSshAddress(target);
  if (from !== undefined && to !== undefined) {
    throw new QueueError('not-possible', 'one of the two queues has to be on this machine');
  }
  if (from !== undefined) return fetchJobs(context, args, from, target);
  return give(context, args, to === undefined ? { into: target } : { over: to });
}

function checkTogether({ options }: RelayArgs, target: string | undefined): void {
  if (options.watch && options.once) throw new UsageProblem('`--watch` and `--once` exclude each other');
  if (options.give && !options.serve) throw new UsageProblem('`--give` goes with `--serve`');
  if (options.serve && target !== undefined) {
    throw new UsageProblem('`--serve` takes one queue: the other is where the other side is');
  }
  if (!options.serve && target === undefined) throw new UsageProblem('TARGET is missing');
  if (options.serve && options.json) {
    throw new UsageProblem('`--serve` speaks to the other side on standard output: `--json` has no place');
  }
}

/** A queue here, one on another machine, or whoever has started us. */
type Destination = { readonly into: string } | { readonly over: SshAddress } | { readonly toOurPipes: true };

async function give(context: Context, args: RelayArgs, destination: Destination): Promise<number> {
  const { machine } = context;
  const { operand, options } = args;
  const { queue: source, keepsOrder } = await openLocal(machine, operand);
  const teller = await newRelayTeller(context, options, source);
  const ordered = keepsOrder && options.lane === undefined;
  const hungUp = new AbortController();
  const target = await openTarget(machine, args, destination, {
    onFull: () => teller.full(),
    onLost: () => hungUp.abort(),
    onConnected: (about) => teller.reached(about, ordered),
  });
  const graceMs = options.grace ?? DEFAULT_GRACE_MS;
  return untilStopped(machine, async (told) => {
    const stop = AbortSignal.any([told, hungUp.signal]);
    const stopTelling = teller.begin(source);
    try {
      // Whoever has started us wants to hear of us, though there may be no job.
      if ('toOurPipes' in destination) await target.ready();
      const report = await relayJobs(machine, source, target, {
        concurrency: options.jobs,
        keepWaiting: options.watch,
        maxJobs: options['max-jobs'],
        lane: options.lane,
        leaveOut: options['leave-out'],
        leaseMs: options.lease,
        graceMs,
        stop,
        listener: teller,
      });
      await target.close();
      const end = workEnding(report.pool, teller);
      await stopTelling();
      return await teller.concluded(report, end);
    } finally {
      await target.close();
      await stopTelling();
    }
  });
}

async function openTarget(
  machine: Machine,
  { operand, options }: RelayArgs,
  destination: Destination,
  { onFull, onLost, onConnected }: Required<Pick<RemoteOptions, 'onFull' | 'onLost' | 'onConnected'>>,
): Promise<Target> {
  const pace = newPace(machine.clock, options.limit);
  const common = { pace, maxWaiting: options['max-waiting'], onFull };
  if ('over' in destination) {
    const connect = () => connectBySsh(machine, destination.over, [], sshOptions(options));
    return new RemoteTarget(machine, { ...common, connect, onConnected });
  }
  if ('toOurPipes' in destination) {
    const connect = async () => ownPipes(machine);
    return new RemoteTarget(machine, { ...common, connect, onConnected, onLost });
  }
  const local = await openLocal(machine, destination.into);
  await refuseSame(machine, operand, destination.into);
  onConnected?.(local);
  return localTarget(machine, local, common);
}

/** What is no directory has another way of being the same. */
async function refuseSame(machine: Machine, source: string, target: string): Promise<void> {
  if (source.includes('://') || target.includes('://')) {
    if (source === target) throw new QueueError('not-possible', `${target}: it is the source too`);
    return;
  }
  await refuseSameQueue(machine, target, source, target);
}

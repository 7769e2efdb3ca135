/** `intray relay` where it takes jobs: from the other side of our pipes, or from another machine that gives them. */

import { QueueError } from '../../queue/errors.ts';
import type { SshAddress } from '../../relay/address.ts';
import { openLocal } from '../../relay/local-target.ts';
import { Patience } from '../../relay/patience.ts';
import { connectBySsh } from '../../relay/ssh.ts';
import { ownPipes } from '../../relay/wire/connection.ts';
import { type TakerReport, takeJobs } from '../../relay/wire/taker.ts';
import type { Context } from '../context.ts';
import { untilStopped } from '../stop-signals.ts';
import { exitStatus, isExitStatus } from './exit-codes.ts';
import { type RelayArgs, sshOptions } from './relay-args.ts';
import { newRelayTeller } from './relay-teller.ts';

/** Until the other side hangs up. */
export async function serveTaker({ machine }: Context, { operand, options }: RelayArgs): Promise<number> {
  const local = await openLocal(machine, operand);
  const { wrong } = await takeJobs(machine, local, ownPipes(machine), {
    maxWaiting: options['max-waiting'],
    parts: options.parts,
  });
  if (wrong !== undefined) throw wrong;
  return exitStatus('done');
}

/** Has the other machine give us its jobs; with `--watch` again and again, when the connection is lost. */
export async function fetchJobs(
  context: Context,
  { options }: RelayArgs,
  source: SshAddress,
  target: string,
): Promise<number> {
  const { machine } = context;
  const local = await openLocal(machine, target);
  const teller = await newRelayTeller(context, options);
  const patience = new Patience(machine.clock);
  teller.reached(local);
  const fetch = async (stop: AbortSignal): Promise<TakerReport> => {
    const connection = await connectBySsh(machine, source, giveWords(options), sshOptions(options));
    const onStop = () => connection.cut();
    stop.addEventListener('abort', onStop);
    try {
      return await takeJobs(machine, local, connection, {
        maxWaiting: options['max-waiting'],
        parts: options.parts,
        onTaken: (job, id, duplicate) => {
          patience.regain();
          teller.taken(job, id, duplicate);
        },
      });
    } finally {
      stop.removeEventListener('abort', onStop);
      await teller.flush();
    }
  };
  return untilStopped(machine, async (stop) => {
    for (;;) {
      const { wrong, ended } = await fetch(stop);
      if (stop.aborted) return exitStatus('done');
      const isOurs = isExitStatus(ended.status);
      if (!options.watch && wrong === undefined && isOurs) return ended.status;
      const why = ended.why ?? 'the other side has hung up';
      const trouble = isOurs && wrong !== undefined ? wrong : new QueueError('not-connected', why);
      if (!options.watch) throw trouble;
      teller.targetTrouble(trouble, patience.lose());
      await patience.wait(stop);
    }
  });
}

/** What the other side has to know. */
function giveWords(options: RelayArgs['options']): string[] {
  const words = ['--give'];
  const put = (name: string, value: string | number | undefined) => {
    if (value !== undefined) words.push(`--${name}=${value}`);
  };
  if (options.watch) words.push('--watch');
  put('jobs', options.jobs);
  put('max-jobs', options['max-jobs']);
  put('limit', options.limit);
  put('lane', options.lane);
  for (const what of options['leave-out']) put('leave-out', what);
  return words;
}

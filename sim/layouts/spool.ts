/** The Filespooler layout, as the library and the worker use it. */

import { encodeBytes } from '../../src/os/bytes.ts';
import type { Machine } from '../../src/os/ports.ts';
import type { Claim, Queue, Session } from '../../src/queue/contract.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';
import type { ProcessReport } from '../../src/worker/process-queue.ts';
import { workQueue } from '../../src/worker/work.ts';
import type { Layout, Observer, WorkEnd } from './layout.ts';

const QUEUE = '/queue';
const PAYLOAD_LIMIT_BYTES = 4096;

export const spool: Layout = {
  name: 'spool',
  create: async (machine) => {
    await createSpool(machine, QUEUE);
  },
  add: async (machine, payload, fromElsewhere) => {
    const queue = await openSpool(machine, QUEUE);
    return (await queue.add({ payload }, fromElsewhere ? { sequenceFile: '/sender' } : {})).seq;
  },
  mayHaveAdded: (error) => isQueueError(error, 'not-durable'),
  work: async (machine, runner) => {
    const queue = observed(await openSpool(machine, QUEUE), runner.observer);
    const handler =
      runner.kind === 'command'
        ? { program: runner.program }
        : async (job: { seq: bigint }, payload: { bytes(limit: number): Promise<Uint8Array> }) => {
            const bytes = await payload.bytes(PAYLOAD_LIMIT_BYTES);
            runner.observer.ended(runner.observer.started(job.seq, bytes), true);
          };
    return endOf(await workQueue(machine, queue, handler));
  },
  isBusy: (error) => isQueueError(error, 'locked'),
  unreadable: async (machine) => {
    const { unreadable } = await (await openSpool(machine, QUEUE)).jobs();
    return unreadable.map(({ path, message }) => `${path}: ${message}`);
  },
  skipTo: async (machine, next) => {
    const { files } = machine;
    await writeDurably(machine, `${QUEUE}/nextseq.set`, `${next}\n`);
    await files.rename(`${QUEUE}/nextseq.set`, `${QUEUE}/nextseq`);
    const directory = await files.open(QUEUE, 'directory');
    await files.fsync(directory);
    await files.close(directory);
  },
};

async function writeDurably({ files }: Machine, path: string, text: string): Promise<void> {
  const target = await files.open(path, 'truncate');
  await files.write(target, encodeBytes(text));
  await files.fsync(target);
  await files.close(target);
}

/** The queue, telling of each job that it has been settled. */
function observed(queue: Queue, observer: Observer): Queue {
  return { ...queue, session: async (options) => observedSession(await queue.session(options), observer) };
}

function observedSession(session: Session, observer: Observer): Session {
  const observe = (claim: Claim): Claim => ({
    ...claim,
    succeed: async () => {
      const settled = await claim.succeed();
      observer.finished(claim.job.seq);
      return settled;
    },
  });
  return {
    unreadable: session.unreadable,
    ...(session.lock === undefined ? {} : { lock: session.lock }),
    claim: async () => {
      const claim = await session.claim();
      return claim.kind === 'claim' ? observe(claim) : claim;
    },
    close: () => session.close(),
  };
}

function endOf({ ended }: ProcessReport): WorkEnd {
  if (ended.kind !== 'idle') return { kind: 'failed' };
  if (ended.reason === 'empty') return { kind: 'empty' };
  return { kind: 'gap', missing: ended.missing, next: ended.next };
}

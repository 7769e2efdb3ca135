/** The Filespooler layout, as the library and the worker use it. */

import { encodeBytes } from '../../src/os/bytes.ts';
import { closeQuietly } from '../../src/os/close-quietly.ts';
import type { Machine } from '../../src/os/ports.ts';
import { encodeHeader } from '../../src/packet/encode.ts';
import type { Claim, Queue, Session } from '../../src/queue/contract.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import { addPacket } from '../../src/spool/add.ts';
import { newHeader } from '../../src/spool/sender.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';
import type { Handler } from '../../src/worker/handler.ts';
import type { ProcessReport } from '../../src/worker/process-queue.ts';
import { type WorkOptions, workQueue } from '../../src/worker/work.ts';
import type { Payload } from '../history.ts';
import { type Layout, numberOf, type Observer, type Runner, type WorkEnd } from './layout.ts';

const QUEUE = '/queue';
const SENDER = '/sender';
/** The queue is one line. */
const LANE = '';
const PAYLOAD_LIMIT_BYTES = 4096;

/** How it is worked. With a policy other than `retry`, every second job fails. */
export type Variant = Pick<WorkOptions, 'order' | 'keepSucceeded' | 'onFailure'>;

export function spoolWith(name: string, variant: Variant): Layout {
  return {
    name,
    ignoresNumbers: variant.order === 'creation',
    create: async (machine) => {
      await createSpool(machine, QUEUE);
    },
    createSender: async (machine) => {
      await createSpool(machine, QUEUE, { appendOnly: true });
    },
    exists: async (machine) => {
      try {
        await openSpool(machine, QUEUE);
        return true;
      } catch (error) {
        if (isQueueError(error, 'not-a-queue')) return false;
        throw error;
      }
    },
    laneOf: () => LANE,
    add: async (machine, payload, way) => {
      if (way === 'bytes') return addBytes(machine, payload);
      const queue = await openSpool(machine, QUEUE);
      const durability = way === 'crash-safe' ? 'crash-safe' : 'power-safe';
      const options = { durability, ...(way === 'elsewhere' ? { sequenceFile: SENDER } : {}) } as const;
      return numberOf(await queue.add({ payload }, options));
    },
    mayHaveAdded: (error) => isQueueError(error, 'not-durable'),
    work: async (machine, runner) => {
      const queue = observed(await openSpool(machine, QUEUE), runner.observer);
      return endOf(await workQueue(machine, queue, handlerFor(runner, variant), variant));
    },
    unreadable: async (machine) => {
      const { unreadable } = await (await openSpool(machine, QUEUE)).jobs();
      return unreadable.map(({ path, message }) => `${path}: ${message}`);
    },
    skipTo: async (machine, _lane, next) => {
      const { files } = machine;
      await writeFile(machine, `${QUEUE}/nextseq.set`, encodeBytes(`${next}\n`));
      await files.rename(`${QUEUE}/nextseq.set`, `${QUEUE}/nextseq`);
      const directory = await files.open(QUEUE, 'directory');
      await files.fsync(directory);
      await files.close(directory);
    },
    arrivals: `${QUEUE}/jobs`,
    fixedNames: ['nextseq', 'addseq', 'nextseq.lock', 'addseq.lock'].map((file) => `${QUEUE}/${file}`),
  };
}

export const spool: Layout = spoolWith('spool', {});

/** The other ways to work it that the library offers. */
export const SPOOL_VARIANTS: readonly Layout[] = [
  spoolWith('spool-by-creation', { order: 'creation' }),
  spoolWith('spool-delete-failed', { onFailure: 'delete' }),
  spoolWith('spool-leave-failed', { onFailure: 'leave', keepSucceeded: true }),
];

function handlerFor(runner: Runner, { onFailure = 'retry' }: Variant): Handler | { program: string } {
  if (runner.kind === 'command') return { program: runner.program };
  const { observer } = runner;
  return async (job, payload) => {
    const run = observer.started(numberOf(job), await payload.bytes(PAYLOAD_LIMIT_BYTES));
    observer.ended(run, true);
    if (onFailure !== 'retry' && numberOf(job) % 2n === 0n) throw new Error('as every second job does');
  };
}

/** As `prepare > FILE; queue-write < FILE` does. */
async function addBytes(machine: Machine, payload: Payload): Promise<bigint> {
  const { files } = machine;
  const header = await newHeader(machine, SENDER, { kind: 'command', params: [], env: [] });
  const packet = Buffer.concat([encodeHeader(header), encodeBytes(payload)]);
  const path = `/packet-${header.seq}`;
  await writeFile(machine, path, packet);
  const source = await files.open(path, 'read');
  try {
    await addPacket(machine, QUEUE, source);
  } finally {
    await closeQuietly(files, source);
  }
  return header.seq;
}

export async function writeFile({ files }: Machine, path: string, bytes: Uint8Array): Promise<void> {
  const target = await files.open(path, 'truncate');
  await files.write(target, bytes);
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
      observer.finished({ lane: LANE, place: numberOf(claim.job) });
      return settled;
    },
    fail: async () => {
      const settled = await claim.fail();
      observer.finished({ lane: LANE, place: numberOf(claim.job) });
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
  return { kind: 'gap', lane: LANE, missing: ended.missing, next: ended.next };
}

import { randomBytes } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeBytes } from '../../src/os/bytes.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readChunks } from '../../src/os/transfer.ts';
import type { Queue } from '../../src/queue/contract.ts';
import type { CarriedJob } from '../../src/relay/carried.ts';
import { openLocal } from '../../src/relay/local-target.ts';
import type { Payload } from '../../src/relay/target.ts';
import type { Connection } from '../../src/relay/wire/connection.ts';
import { dataFrame, type Frame, FrameReader, GREETING, messageFrame } from '../../src/relay/wire/frames.ts';
import { RemoteTarget } from '../../src/relay/wire/giver.ts';
import { Link } from '../../src/relay/wire/link.ts';
import { type TakerReport, takeJobs } from '../../src/relay/wire/taker.ts';
import { useTemporary } from '../support/temporary.ts';
import { drained, homeQueue, MAKERS, relayTo, waitingAt } from './support.ts';

const temporary = useTemporary();
const MIB = 1024 * 1024;
let target: Queue;

/** A read that waits would keep this process. */
const begun: Linked[] = [];

afterEach(async () => {
  for (const { giver, reports } of begun.splice(0)) {
    await giver.close();
    await Promise.all(reports);
  }
});

beforeEach(async () => {
  target = await homeQueue(temporary.path('target'));
});

/** Two ends of a pair of pipes. */
async function pair(): Promise<readonly [Connection, Connection]> {
  const there = await realMachine.processes.pipe();
  const back = await realMachine.processes.pipe();
  const end = async (closed: Promise<void>) => {
    await closed;
    return {};
  };
  const connection = (input: Connection['input'], output: Connection['output']): Connection => {
    return { input, output, end, cut: () => {} };
  };
  return [connection(back.readEnd, there.writeEnd), connection(there.readEnd, back.writeEnd)];
}

type Linked = {
  readonly giver: RemoteTarget;
  readonly sent: () => number;
  readonly reports: Promise<TakerReport>[];
};

/** A target that is reached over pipes, by as many connections as it takes. */
function linked(queue: Queue, maxWaiting?: number): Linked {
  let sent = 0;
  const reports: Promise<TakerReport>[] = [];
  const giver = new RemoteTarget(realMachine, {
    pace: {
      take: async (bytes) => {
        sent += bytes;
      },
    },
    maxWaiting,
    connect: async () => {
      const [ours, theirs] = await pair();
      reports.push(takeJobs(realMachine, await openLocal(realMachine, queue.location), theirs));
      return ours;
    },
  });
  const made = { giver, sent: () => sent, reports };
  begun.push(made);
  return made;
}

const job: CarriedJob = { name: 'the job', params: ['p'], env: {} };
const never = new AbortController().signal;
const stops = { waiting: never, moving: never };
const bytesOf = (bytes: Uint8Array): Payload =>
  async function* () {
    for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
  };

async function payloadAt(queue: Queue): Promise<Uint8Array> {
  const session = await queue.join();
  try {
    const claim = await session.claim();
    if (claim.kind !== 'claim') throw new Error(claim.reason);
    const chunks: Uint8Array[] = [];
    for await (const chunk of readChunks(realMachine.files, claim.payload)) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    await session.close();
  }
}

describe('a relay at the other end of pipes', () => {
  it.each(Object.keys(MAKERS))('adds what it is given to a queue of %s', async (layout) => {
    const queue = await (MAKERS[layout] as (path: string) => Promise<Queue>)(temporary.path('queue'));
    const source = await homeQueue(temporary.path('source'));
    for (let number = 0; number < 20; number++) {
      await source.add({ params: [`${number}`], payload: `payload ${number}` });
    }
    const { giver, reports } = linked(queue);
    const { pool } = await relayTo(source, giver, { concurrency: 4 });
    await giver.close();
    expect(await Promise.all(reports)).toEqual([{ taken: 20, ended: {} }]);
    expect(pool.counts.succeeded).toBe(20);
    const payloads = (await drained(queue)).map(({ payload }) => payload);
    expect(payloads.sort()).toEqual(Array.from({ length: 20 }, (_, at) => `payload ${at}`).sort());
  });

  it('is sent no payload of a job that it knows', async () => {
    const { giver, sent } = linked(target);
    await giver.ready();
    expect(await giver.deliver(job, bytesOf(encodeBytes('once')), stops)).toMatchObject({ duplicate: false });
    expect(await giver.deliver(job, bytesOf(encodeBytes('once')), stops)).toMatchObject({ duplicate: true });
    await giver.close();
    expect(sent()).toBe(4);
    expect(await waitingAt(target)).toHaveLength(1);
  });

  it('has room for so many jobs, and for no more', async () => {
    const source = await homeQueue(temporary.path('source'));
    for (let number = 0; number < 5; number++) await source.add({});
    const { giver } = linked(target, 2);
    const stop = new AbortController();
    // What has been added may not have been confirmed yet.
    const relay = relayTo(source, giver, { keepWaiting: true, stop: stop.signal, graceMs: 10_000 });
    await expect.poll(async () => (await waitingAt(target)).length, { timeout: 10_000 }).toBe(2);
    stop.abort();
    expect((await relay).pool.counts).toMatchObject({ succeeded: 2, failed: 0 });
    await giver.close();
    expect(await waitingAt(source)).toHaveLength(3);
  });

  it('refuses for good what its queue cannot have', async () => {
    const plain = await (MAKERS.dirqueue as (path: string) => Promise<Queue>)(temporary.path('plain'));
    const { giver } = linked(plain);
    await giver.ready();
    const refused = giver.deliver({ ...job, lane: 'l' }, bytesOf(encodeBytes('')), stops);
    await expect(refused).rejects.toMatchObject({ code: 'not-possible' });
    await giver.close();
  });
});

describe('a large payload', () => {
  const payload = randomBytes(5 * MIB);
  const parts = () => readdirSync(join(target.location, 'relay-parts'));

  /** Breaks off after so many bytes. */
  async function brokenOff({ giver }: Linked, after: number): Promise<void> {
    const moving = new AbortController();
    const cut: Payload = async function* () {
      let given = 0;
      for await (const piece of bytesOf(payload)()) {
        yield piece;
        given += piece.length;
        if (given >= after) moving.abort(new Error('broken off'));
      }
    };
    await giver.ready();
    await expect(giver.deliver(job, cut, { ...stops, moving: moving.signal })).rejects.toThrow('broken off');
    await giver.close();
  }

  it('that was cut in the middle goes on where it was', async () => {
    await brokenOff(linked(target), 3 * MIB);
    expect(await waitingAt(target)).toEqual([]);
    expect(parts()).toHaveLength(1);
    const again = linked(target);
    await again.giver.ready();
    await again.giver.deliver(job, bytesOf(payload), stops);
    await again.giver.close();
    expect(again.sent()).toBeLessThan(2.2 * MIB);
    expect(Buffer.compare(await payloadAt(target), payload)).toBe(0);
    expect(parts()).toEqual([]);
  });

  it.each([
    ['were changed', (path: string) => writeFileSync(path, readFileSync(path).fill(0, 10, 20))],
    ['are too many', (path: string) => appendFileSync(path, Buffer.alloc(4 * MIB))],
  ])('whose first bytes %s comes anew, and never half right', async (_, damage) => {
    await brokenOff(linked(target), 3 * MIB);
    damage(join(target.location, 'relay-parts', parts()[0] ?? ''));
    const again = linked(target);
    await again.giver.ready();
    await expect(again.giver.deliver(job, bytesOf(payload), stops)).rejects.toThrow('it is to come anew');
    expect(await waitingAt(target)).toEqual([]);
    await again.giver.deliver(job, bytesOf(payload), stops);
    await again.giver.close();
    expect(Buffer.compare(await payloadAt(target), payload)).toBe(0);
  });

  it('whose end is bad leaves no job', async () => {
    const { giver } = linked(target);
    await giver.ready();
    const bad: Payload = async function* () {
      yield* bytesOf(payload)();
      throw new Error('the decoder failed');
    };
    await expect(giver.deliver(job, bad, stops)).rejects.toThrow('the decoder failed');
    await giver.close();
    expect(await waitingAt(target)).toEqual([]);
  });
});

describe('what is said over pipes', () => {
  it('is understood however it is cut into pieces', () => {
    const frames = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('message' as const), text: fc.json() }),
        fc.record({
          kind: fc.constant('data' as const),
          job: fc.nat(0xffff_ffff),
          bytes: fc.uint8Array({ maxLength: 300 }),
        }),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 50 })), (wanted, sizes) => {
        const encoded = wanted.map((frame) =>
          frame.kind === 'data' ? dataFrame(frame.job, frame.bytes) : messageFrame(JSON.parse(frame.text)),
        );
        const all = Buffer.concat([encodeBytes(GREETING), ...encoded]);
        const reader = new FrameReader();
        const found: Frame[] = [];
        for (let at = 0; at < all.length; ) {
          const size = sizes.next().value ?? 1;
          found.push(...reader.push(all.subarray(at, at + size)));
          at += size;
        }
        expect(reader.isInMiddle).toBe(false);
        const same = wanted.map((frame) =>
          frame.kind === 'data' ? frame : { ...frame, text: JSON.stringify(JSON.parse(frame.text)) },
        );
        expect(found).toEqual(same);
      }),
    );
  });

  it.each([
    ['a greeting of another kind', 'Welcome to example.org!\n', 'it began with "Welcome to example.org!"'],
    ['a frame without end', `${GREETING}\x7f\xff\xff\xff`, 'a message of'],
    ['a frame of another kind', `${GREETING}\0\0\0\x01X`, 'neither a message nor data'],
    ['a message that is none', `${GREETING}\0\0\0\x03M{}`, 'what is not understood here: "{}"'],
    ['half a frame', `${GREETING}\0\0\0\x09Mxx`, 'in the middle of a message'],
    ['nothing', '', 'has hung up'],
  ])('%s ends it with a sentence', async (_, said, sentence) => {
    const [ours, theirs] = await pair();
    const lost: unknown[] = [];
    const link = new Link(
      realMachine,
      ours,
      { role: 'giver' },
      { onMessage: () => {}, onData: () => {}, onLost: (error) => lost.push(error) },
    );
    await realMachine.files.write(theirs.output, Buffer.from(said, 'latin1'));
    await realMachine.files.close(theirs.output);
    await expect(link.hello).rejects.toThrow(sentence);
    await link.close();
    await realMachine.files.close(theirs.input);
    expect(lost).toHaveLength(1);
  });
});

/** What has come to a queue, and how whole it is. */

import { createHash } from 'node:crypto';
import { realMachine } from '../../../src/os/real/index.ts';
import { readChunks } from '../../../src/os/transfer.ts';
import type { Queue } from '../../../src/queue/contract.ts';

/** `number`: the first param of the job. */
export type Arrived = { readonly number: number; readonly lane: string | undefined; readonly digest: string };

export const digestOf = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

/** Runs all jobs, in their order. */
export async function arrivedAt(queue: Queue): Promise<Arrived[]> {
  const arrived: Arrived[] = [];
  const session = await queue.join();
  try {
    for (;;) {
      const claim = await session.claim();
      if (claim.kind !== 'claim') return arrived;
      const chunks: Uint8Array[] = [];
      for await (const chunk of readChunks(realMachine.files, claim.payload)) chunks.push(chunk);
      const { work } = claim.job;
      arrived.push({
        number: Number(work.kind === 'command' ? work.params[0] : -1),
        lane: new Map(claim.env).get('INTRAY_LANE'),
        digest: digestOf(Buffer.concat(chunks)),
      });
      await claim.succeed();
    }
  } finally {
    await session.close();
  }
}

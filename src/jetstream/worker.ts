/**
 * A worker in the log: a message that it replaces again and again. The time at which the servers stored it is when it was
 * last alive.
 */

import { encodeBytes } from '../os/bytes.ts';
import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import type { Sign } from '../queue/life.ts';
import type { Log } from './log.ts';
import { tokenOf, type WorkerRecord } from './subjects.ts';

const DEFAULT_LEASE_MS = 60_000;
const BEATS_PER_LEASE = 4;

export type Worker = Sign & {
  readonly name: string;
  wasTakenForDead: boolean;
  /** Says that we are alive, and reads all that was in the log before that. */
  catchUp(): Promise<void>;
  /** What the servers' clock says now, or a little earlier. */
  serverMs(): number;
  leave(): Promise<void>;
};

export async function joinAs(machine: Machine, log: Log, leaseMs = DEFAULT_LEASE_MS): Promise<Worker> {
  const { clock, host, random } = machine;
  const name = `${tokenOf(encodeBytes(host.name))}-${host.pid}-${random.uuid().slice(0, 8)}`;
  const subject = log.subjects.worker(name);
  const record: WorkerRecord = {
    host: host.name,
    pid: host.pid,
    startedMs: toMs(clock.now()),
    leaseMs,
  };
  let beganMs = clock.monotonicMs();
  /** A moment, by both clocks. */
  let heard = { serverMs: 0, monotonicMs: 0 };
  const say = async (): Promise<number> => {
    const beginMs = clock.monotonicMs();
    const seq = await log.wire.put(subject, JSON.stringify(record));
    beganMs = beginMs;
    return seq;
  };
  const worker: Worker = {
    name,
    path: `${log.place}/${name}`,
    beatEveryMs: leaseMs / BEATS_PER_LEASE,
    wasTakenForDead: false,
    get isSurelyOurs() {
      return clock.monotonicMs() - beganMs < leaseMs;
    },
    beat: async () => {
      await say();
      return !worker.wasTakenForDead;
    },
    exists: async () => !worker.wasTakenForDead,
    catchUp: async () => {
      await log.reached(await say());
      const beatMs = log.picture.workers.get(name)?.beatMs;
      // Heard later than it was stored: so by it the servers' clock is never ahead of itself.
      if (beatMs !== undefined) heard = { serverMs: beatMs, monotonicMs: clock.monotonicMs() };
    },
    serverMs: () => heard.serverMs + clock.monotonicMs() - heard.monotonicMs,
    leave: async () => {
      const seq = await log.wire.put(subject, JSON.stringify({ ...record, gone: true }));
      await log.wire.remove([seq]);
    },
  };
  await worker.catchUp();
  return worker;
}

/**
 * A worker in the log: a message that it replaces again and again. The time at which the servers stored it is when it was
 * last alive.
 */

import { encodeBytes } from '../os/bytes.ts';
import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import type { Sign } from '../queue/life.ts';
import type { Log } from './log.ts';
import { notReachable } from './patience.ts';
import { tokenOf, type WorkerRecord } from './subjects.ts';

const DEFAULT_LEASE_MS = 60_000;
const BEATS_PER_LEASE = 4;
/** Of a lease that part is left to those whose commands have to be ended before others run the jobs. */
const SPARE = 1 / 8;

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
  const ownMs = leaseMs * (1 - SPARE);
  let beganMs = clock.monotonicMs();
  /** A moment, by both clocks. */
  let heard = { serverMs: 0, monotonicMs: 0 };
  const say = async (): Promise<number> => {
    const beginMs = clock.monotonicMs();
    const seq = await log.wire.put(subject, JSON.stringify(record));
    beganMs = beginMs;
    return seq;
  };
  /** Nobody answers, and others may do so for long: when our lease is over we have to know it in time. */
  const sayInTime = () =>
    new Promise<void>((resolve, reject) => {
      const late = () => reject(notReachable(log.place, new Error('a sign of life is not confirmed')));
      const callOff = clock.after(Math.max(0, beganMs + ownMs - clock.monotonicMs()), late);
      say()
        .then(() => resolve(), reject)
        .finally(callOff);
    });
  const worker: Worker = {
    name,
    path: `${log.place}/${name}`,
    beatEveryMs: leaseMs / BEATS_PER_LEASE,
    wasTakenForDead: false,
    get isSurelyOurs() {
      return clock.monotonicMs() - beganMs < ownMs;
    },
    beat: async () => {
      await sayInTime();
      return !worker.wasTakenForDead;
    },
    exists: async () => !worker.wasTakenForDead,
    catchUp: async () => {
      await log.send(say);
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

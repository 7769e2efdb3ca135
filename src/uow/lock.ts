/**
 * One Monitor for each root: it holds flock(2) on `monitor.lock`, and says in it who it is.
 *
 * The lock of a killed Monitor is held on by its watchdogs until its jobs are gone, which is a matter of seconds: that is
 * waited for. A Monitor that lives is not.
 */

import { acquireLock } from '../os/acquire-lock.ts';
import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import { formatUtc } from '../os/calendar.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { lockHolders } from '../os/lock-holders.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { QueueError } from '../queue/errors.ts';
import { lockPath, type Root } from './root.ts';
import { isThere } from './unit-files.ts';

/** Longer than a watchdog takes. */
const WATCHDOG_MS = 10_000;
const LIMIT_BYTES = 4096;

/** Throws `locked`. The lock goes with the descriptor. */
export async function lockRoot(machine: Machine, root: Root): Promise<Descriptor> {
  const { files, host, clock } = machine;
  const path = lockPath(root);
  const lock = await files.open(path, 'lock');
  try {
    if (!(await machine.locks.tryLock(lock, 'exclusive'))) {
      const holder = await holderOf(machine, path);
      const isDead = holder?.host === host.name && !(await isThere(files, `/proc/${holder.pid}`));
      if (!isDead || !(await acquireLock(machine, lock, 'exclusive', WATCHDOG_MS))) {
        const who = holder === undefined ? '' : ` (process ${holder.pid} on ${holder.host})`;
        throw new QueueError('locked', `${root.path}: another Monitor works here${who}`);
      }
    }
    const words = `${host.pid} ${host.name} ${formatUtc(clock.now())}`;
    await files.writeAt(lock, encodeBytes(`${words.padEnd(LINE_WIDTH)}\n`), 0);
    return lock;
  } catch (error) {
    await closeQuietly(files, lock);
    throw error;
  }
}

/** So that each line covers the one before. */
const LINE_WIDTH = 300;

type Holder = { readonly pid: number; readonly host: string };

async function holderOf({ files }: Machine, path: string): Promise<Holder | undefined> {
  const text = decodeBytes(await readSmallFile(files, path, LIMIT_BYTES));
  const [, pid, host = ''] = /^(\d+) (\S+) /.exec(text) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), host };
}

/** Whose Monitor works this root, without trying its lock; undefined when there is none, or nobody can tell. */
export async function monitorOf(machine: Machine, root: Root): Promise<Holder | undefined> {
  const path = lockPath(root);
  const holders = await lockHolders(machine, path);
  return holders === undefined || holders.length === 0 ? undefined : holderOf(machine, path);
}

import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSystemError, type LockKind } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { checkLeaks, closeNow, open, temporaryDirectory } from './checked.ts';
import { flockGets, holdWithFlock, startHolder } from './machine.ts';

checkLeaks();

const { tryLock, unlock } = realMachine.locks;

function lockPath(): string {
  return join(temporaryDirectory(), 'lock');
}

const MATRIX: [LockKind, LockKind, boolean][] = [
  ['exclusive', 'exclusive', false],
  ['exclusive', 'shared', false],
  ['shared', 'exclusive', false],
  ['shared', 'shared', true],
];

describe('two descriptors of one file', () => {
  test.each(MATRIX)('%s held, %s wanted: %s', async (held, wanted, together) => {
    const path = lockPath();
    const first = await open(path, 'lock');
    const second = await open(path, 'lock-present');
    expect(await tryLock(first, held)).toBe(true);
    expect(await tryLock(second, wanted)).toBe(together);
    await unlock(first);
    expect(await tryLock(second, wanted)).toBe(true);
  });

  test('a lock can be taken again by the descriptor that has it', async () => {
    const descriptor = await open(lockPath(), 'lock');
    for (const kind of ['exclusive', 'exclusive', 'shared', 'shared', 'exclusive'] as const) {
      expect(await tryLock(descriptor, kind)).toBe(true);
    }
  });

  test('an exclusive lock made shared lets others share', async () => {
    const path = lockPath();
    const first = await open(path, 'lock');
    const second = await open(path, 'lock');
    await tryLock(first, 'exclusive');
    expect(await tryLock(second, 'shared')).toBe(false);
    await tryLock(first, 'shared');
    expect(await tryLock(second, 'shared')).toBe(true);
  });

  test('a shared lock that cannot be made exclusive is lost: flock(2) gives it up first', async () => {
    const path = lockPath();
    const first = await open(path, 'lock');
    const second = await open(path, 'lock');
    const third = await open(path, 'lock');
    await tryLock(first, 'shared');
    await tryLock(second, 'shared');
    expect(await tryLock(first, 'exclusive')).toBe(false);
    await unlock(second);
    expect(await tryLock(third, 'exclusive')).toBe(true);
  });

  test('a lock ends when its descriptor is closed', async () => {
    const path = lockPath();
    const first = await open(path, 'lock');
    const second = await open(path, 'lock');
    await tryLock(first, 'exclusive');
    closeNow(first);
    expect(await tryLock(second, 'exclusive')).toBe(true);
  });

  test('unlocking what is not locked does nothing', async () => {
    await unlock(await open(lockPath(), 'lock'));
  });

  test('a file opened only for reading, and a directory, can be locked', async () => {
    const path = lockPath();
    fs.writeFileSync(path, '');
    expect(await tryLock(await open(path, 'read-job'), 'exclusive')).toBe(true);
    expect(await tryLock(await open(join(path, '..'), 'directory'), 'exclusive')).toBe(true);
  });
});

describe('a descriptor that is not open', () => {
  test('is EBADF, not a lock that is held', async () => {
    const descriptor = await open(lockPath(), 'lock');
    closeNow(descriptor);
    for (const call of [tryLock(descriptor, 'exclusive'), unlock(descriptor)]) {
      const failure: unknown = await Promise.resolve(call).catch((error: unknown) => error);
      expect(isSystemError(failure)).toBe(true);
      expect(failure).toMatchObject({ code: 'EBADF', syscall: 'flock' });
    }
  });
});

describe('another program, flock(1)', () => {
  test.each(MATRIX)('has it %s, we want it %s: %s', async (held, wanted, together) => {
    const path = lockPath();
    const holder = await holdWithFlock(path, held);
    const descriptor = await open(path, 'lock-present');
    expect(await tryLock(descriptor, wanted)).toBe(together);
    await holder.release();
    expect(await tryLock(descriptor, wanted)).toBe(true);
  });

  test.each(MATRIX)('we have it %s, it wants it %s: %s', async (held, wanted, together) => {
    const path = lockPath();
    const descriptor = await open(path, 'lock');
    await tryLock(descriptor, held);
    expect(await flockGets(path, wanted)).toBe(together);
    await unlock(descriptor);
    expect(await flockGets(path, wanted)).toBe(true);
  });

  test('that is killed holds nothing', async () => {
    const path = lockPath();
    const holder = await holdWithFlock(path, 'exclusive');
    const descriptor = await open(path, 'lock-present');
    expect(await tryLock(descriptor, 'exclusive')).toBe(false);
    expect(await holder.child.signalGroup('SIGKILL')).toBe(true);
    expect(await holder.release()).toEqual({ kind: 'signaled', signal: 9 });
    expect(await tryLock(descriptor, 'exclusive')).toBe(true);
  });
});

describe('a command that is given the descriptor', () => {
  test('holds the lock after we closed ours, until it ends', async () => {
    const path = lockPath();
    const ours = await open(path, 'lock');
    const other = await open(path, 'lock-present');
    await tryLock(ours, 'exclusive');
    const heir = await startHolder({ program: 'cat', args: [], extra: [ours] });
    closeNow(ours);
    expect(await tryLock(other, 'exclusive')).toBe(false);
    expect(await flockGets(path, 'shared')).toBe(false);
    await heir.release();
    expect(await tryLock(other, 'exclusive')).toBe(true);
  });

  test('loses it when we unlock: the lock is one', async () => {
    const path = lockPath();
    const ours = await open(path, 'lock');
    await tryLock(ours, 'exclusive');
    const heir = await startHolder({ program: 'cat', args: [], extra: [ours] });
    await unlock(ours);
    expect(await flockGets(path, 'exclusive')).toBe(true);
    await heir.release();
  });

  test('and one that is not does not hold it', async () => {
    const path = lockPath();
    const ours = await open(path, 'lock');
    await tryLock(ours, 'exclusive');
    const stranger = await startHolder({ program: 'cat', args: [] });
    closeNow(ours);
    expect(await flockGets(path, 'exclusive')).toBe(true);
    await stranger.release();
  });
});

import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lockHolders } from '../../src/os/lock-holders.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const { files, locks } = realMachine;

describe.skipIf(!existsSync('/proc/locks'))('who holds a lock (skipped without /proc/locks)', () => {
  it.each(['exclusive', 'shared'] as const)('is known of one that is %s', async (kind) => {
    const path = temporary.path('lock');
    writeFileSync(temporary.path('other'), '');
    const lock = await files.open(path, 'lock');
    expect(await lockHolders(realMachine, path)).toEqual([]);
    await locks.tryLock(lock, kind);
    expect(await lockHolders(realMachine, path)).toEqual([{ pid: process.pid, kind }]);
    expect(await lockHolders(realMachine, temporary.path('other'))).toEqual([]);
    await locks.unlock(lock);
    await files.close(lock);
    expect(await lockHolders(realMachine, path)).toEqual([]);
  });

  it('is not known of a file that is not there', async () => {
    expect(await lockHolders(realMachine, temporary.path('nowhere'))).toBeUndefined();
  });
});

import { expect, it } from 'vitest';
import type { FileSystemStatus } from '../../src/os/ports.ts';
import { realFiles } from '../../src/os/real/files.ts';
import { namesAreOurs } from '../../src/queue/refresh-names.ts';

it.each([
  ['ext4', 0xef53n, true],
  ['tmpfs', 0x01021994n, true],
  ['NFS', 0x6969n, false],
  ['FUSE, which may be anything', 0x65735546n, false],
])('names on %s are of this host alone: %#x, %s', async (_, type, expected) => {
  const statfs = (): FileSystemStatus => ({ type, size: 0n, free: 0n, inodes: 0n, freeInodes: 0n });
  expect(await namesAreOurs({ ...realFiles, statfs }, '/queue')).toBe(expected);
});

it('are not, where nobody can tell', async () => {
  expect(await namesAreOurs(realFiles, '/none/such')).toBe(false);
});

/**
 * Disks whose power can be cut.
 *
 * A disk is an image file behind a loop device; all images lie on one big XFS, the vault, itself such an image.
 * What the kernel still holds in memory for the mounted file system is not in the image file: a copy of the image is
 * what a power cut leaves. In the vault such a copy is a clone (FICLONE): it takes milliseconds, and is of one
 * moment, as XFS lets nobody write to the image meanwhile. Writes that reached the image count as being on the
 * disk, flushed or not: a program that syncs too little is seen, a disk that lies is not played.
 *
 *   mounted     programs work
 *   cut         `cutPower` has cloned the image; programs may go on, what they do is in vain
 *   restarted   `restart` has replaced the image by the clone, whose journal the kernel replays at the mount
 */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pauseMs } from './chance.ts';
import type { FileSystem } from './needs.ts';

const MIB = 1024 * 1024;

/** The smallest that mkfs makes without complaint, in MiB. */
const SIZES: Record<FileSystem, number> = { ext4: 64, xfs: 300, btrfs: 128 };
const VAULT_MIB = 4096;

/** How much the vault comes to hold at most, of its nominal size. */
const VAULT_USED_BYTES = 700 * MIB;

/** How long what has been killed may keep a disk busy. */
const UNMOUNT_TRIES = 2000;
const UNMOUNT_PAUSE_MS = 5;

export const DISK_TOOLS = ['mount', 'umount', 'mkfs.ext4', 'mkfs.xfs', 'mkfs.btrfs'] as const;

export type Disk = {
  readonly mountPoint: string;
  /** Everything so far is on the disk. */
  sync(): void;
  /** The moment of the cut. */
  cutPower(): void;
  /** Shows what the cut has left, on a mount of its own; nothing of it is changed. */
  lookAtCut<T>(look: (mountPoint: string) => T): Promise<T>;
  /** The power is back. Whoever used the disk must have been killed. */
  restart(): Promise<void>;
  remove(): Promise<void>;
};

export type Vault = {
  disk(fileSystem: FileSystem, mib?: number): Disk;
  /** A plain directory that no power cut touches, for what the tests note. */
  readonly notes: string;
  remove(): Promise<void>;
};

export function openVault(): Vault {
  const directory = mkdtempSync(join(roomyDirectory(), 'intray-faults-'));
  const mountPoint = join(directory, 'vault');
  const notes = join(directory, 'notes');
  mkdirSync(mountPoint);
  mkdirSync(notes);
  const image = join(directory, 'vault.img');
  makeImage(image, 'xfs', VAULT_MIB);
  mount(image, mountPoint);
  const disks: Disk[] = [];
  return {
    notes,
    disk: (fileSystem, mib = SIZES[fileSystem]) => {
      const disk = makeDisk({ vault: mountPoint, directory, number: disks.length }, fileSystem, mib);
      disks.push(disk);
      return disk;
    },
    remove: async () => {
      for (const disk of disks) await disk.remove();
      await unmount(mountPoint);
      rmSync(directory, { recursive: true });
    },
  };
}

/** Memory, where there is enough: the vault's own syncs are of no interest. */
function roomyDirectory(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > 2 * VAULT_USED_BYTES) return '/dev/shm';
  } catch {
    // There is none.
  }
  return tmpdir();
}

type Shelf = { readonly vault: string; readonly directory: string; readonly number: number };

function makeDisk({ vault, directory, number }: Shelf, fileSystem: FileSystem, mib: number): Disk {
  const image = join(vault, `${fileSystem}-${number}.img`);
  const clone = `${image}.cut`;
  const mountPoint = join(directory, `${fileSystem}-${number}`);
  mkdirSync(mountPoint);
  makeImage(image, fileSystem, mib);
  mount(image, mountPoint);
  let mounted = true;
  return {
    mountPoint,
    sync: () => execFileSync('sync', ['-f', mountPoint]),
    cutPower: () => execFileSync('cp', ['--reflink=always', image, clone]),
    lookAtCut: async (look) => {
      const copy = `${clone}.seen`;
      const seen = `${mountPoint}-seen`;
      execFileSync('cp', ['--reflink=always', clone, copy]);
      mkdirSync(seen);
      mount(copy, seen);
      try {
        return look(seen);
      } finally {
        await unmount(seen);
        rmSync(copy);
        rmSync(seen, { recursive: true });
      }
    },
    restart: async () => {
      await unmount(mountPoint);
      mounted = false;
      renameSync(clone, image);
      mount(image, mountPoint);
      mounted = true;
    },
    remove: async () => {
      if (mounted) await unmount(mountPoint);
      mounted = false;
    },
  };
}

/** A file system that is so small that it can be filled, mounted on `mountPoint`. Returns how to take it away. */
export function mountSmall(directory: string, mountPoint: string, mib: number): () => Promise<void> {
  const image = join(directory, 'small.img');
  mkdirSync(mountPoint);
  makeImage(image, 'ext4', mib);
  mount(image, mountPoint);
  return () => unmount(mountPoint);
}

/** Writes a file until not even 512 bytes more fit on its disk. */
export function fillDisk(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [65536, 4096, 512]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size, 1));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      }
    }
  } finally {
    closeSync(file);
  }
  execFileSync('sync', ['-f', path]);
}

function makeImage(image: string, fileSystem: FileSystem, mib: number): void {
  writeFileSync(image, '');
  truncateSync(image, mib * MIB);
  // No space kept for root: a full disk is full for us too.
  const quiet = { ext4: ['-q', '-F', '-m', '0'], xfs: ['-q', '-f'], btrfs: ['-q', '-f'] }[fileSystem];
  execFileSync(`mkfs.${fileSystem}`, [...quiet, image], { stdio: 'pipe' });
}

/** The loop device goes with the unmounting. */
function mount(image: string, mountPoint: string): void {
  execFileSync('mount', ['-o', 'loop', image, mountPoint], { stdio: 'pipe' });
}

async function unmount(mountPoint: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { status, stderr } = spawnSync('umount', [mountPoint]);
    if (status === 0) return;
    if (tries >= UNMOUNT_TRIES) throw new Error(`cannot unmount: ${stderr}`);
    await pauseMs(UNMOUNT_PAUSE_MS);
  }
}

import { decodeBytes } from '../os/bytes.ts';
import { type Files, hasErrno } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { using } from './bench.ts';

/** What a path is on, as the kernel has it mounted for us. */
export type Mount = {
  /** `ext4`, `nfs4`, `fuse.sshfs`. */
  readonly type: string;
  readonly point: string;
  /** A device, or `server:/path`. */
  readonly source: string;
  /** Of the mount and of the file system. */
  readonly options: string;
};

/** A host with ten thousands of mounts has less. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Undefined where there is no /proc. By the number of the mount, not by device or path: btrfs shows other devices in
 * stat(2) than in its mount, and mounts may hide each other. Source: proc_pid_fdinfo(5), proc_pid_mountinfo(5).
 */
export async function mountOf(files: Files, directory: string): Promise<Mount | undefined> {
  try {
    return await using(files, await files.open(directory, 'directory'), async (open) => {
      const about = await textOf(files, `/proc/self/fdinfo/${open}`);
      const id = /^mnt_id:\s*(\d+)$/m.exec(about)?.[1];
      return id === undefined ? undefined : findMount(await textOf(files, '/proc/self/mountinfo'), id);
    });
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

/** Pure. `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/sda1 rw,errors=continue` */
export function findMount(mountinfo: string, id: string): Mount | undefined {
  for (const line of mountinfo.split('\n')) {
    const words = line.split(' ');
    const dash = words.indexOf('-', 6);
    if (words[0] !== id || dash < 0) continue;
    const [type = '', source = '', more = ''] = words.slice(dash + 1);
    const [, , , , point = '', options = ''] = words;
    return {
      type,
      point: withoutEscapes(point),
      source: withoutEscapes(source),
      options: `${options},${more}`,
    };
  }
  return undefined;
}

/** Spaces, tabs, newlines and backslashes are written as three octal digits. */
function withoutEscapes(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

async function textOf(files: Files, path: string): Promise<string> {
  return decodeBytes(await readSmallFile(files, path, LIMIT_BYTES));
}

/**
 * What is known of file systems and cannot be tried: whether they keep what was synced, and how far their locks reach.
 * Where each fact is from: the power cuts of test/faults (tested), two hosts with one GlusterFS volume in test/machines
 * (tested), filesystems' own manuals, and statements of their mount options in mount(8), nfs(5), sshfs(1).
 */

export type Storage = {
  /**
   * `disk-tested`: its power cuts are among our tests. `disk`: one that should do as well. `memory`: gone with the
   * power. `server`: another host decides. `unknown`: what lies below decides.
   */
  readonly keeps: 'disk-tested' | 'disk' | 'memory' | 'server' | 'unknown';
  /**
   * `host`: all who can reach it are on this host. `mount`: within one mount only. `server`: the server decides.
   * `server-tested`: it does, and that is among our tests.
   */
  readonly locks: 'host' | 'mount' | 'server' | 'server-tested' | 'unknown';
  /** What hosts that share it need for each to see at once what others did. */
  readonly mountWith?: string;
};

const STORAGE: Readonly<Record<string, Storage>> = {
  ext4: { keeps: 'disk-tested', locks: 'host' },
  xfs: { keeps: 'disk-tested', locks: 'host' },
  btrfs: { keeps: 'disk-tested', locks: 'host' },
  ext3: { keeps: 'disk', locks: 'host' },
  ext2: { keeps: 'disk', locks: 'host' },
  f2fs: { keeps: 'disk', locks: 'host' },
  zfs: { keeps: 'disk', locks: 'host' },
  bcachefs: { keeps: 'disk', locks: 'host' },
  jfs: { keeps: 'disk', locks: 'host' },
  reiserfs: { keeps: 'disk', locks: 'host' },
  vfat: { keeps: 'disk', locks: 'host' },
  exfat: { keeps: 'disk', locks: 'host' },
  ntfs3: { keeps: 'disk', locks: 'host' },
  overlay: { keeps: 'unknown', locks: 'host' },
  tmpfs: { keeps: 'memory', locks: 'host' },
  ramfs: { keeps: 'memory', locks: 'host' },
  devtmpfs: { keeps: 'memory', locks: 'host' },
  nfs: { keeps: 'server', locks: 'server' },
  nfs4: { keeps: 'server', locks: 'server' },
  cifs: { keeps: 'server', locks: 'server' },
  smb3: { keeps: 'server', locks: 'server' },
  ceph: { keeps: 'server', locks: 'server' },
  '9p': { keeps: 'server', locks: 'server' },
  virtiofs: { keeps: 'server', locks: 'server' },
  gfs2: { keeps: 'disk', locks: 'server' },
  ocfs2: { keeps: 'disk', locks: 'server' },
  'fuse.glusterfs': {
    keeps: 'server',
    locks: 'server-tested',
    mountWith: 'attribute-timeout=0,entry-timeout=0,negative-timeout=0',
  },
  'fuse.ceph': { keeps: 'server', locks: 'server' },
  'fuse.sshfs': { keeps: 'server', locks: 'mount' },
  'fuse.rclone': { keeps: 'server', locks: 'mount' },
  'fuse.s3fs': { keeps: 'server', locks: 'mount' },
};

const UNKNOWN: Storage = { keeps: 'unknown', locks: 'unknown' };

export function storageOf(type: string | undefined): Storage {
  return (type === undefined ? undefined : STORAGE[type]) ?? UNKNOWN;
}

/** With these mount options of nfs(5) and cifs locks do not reach the server. */
const LOCAL_LOCKS = ['nolock', 'nobrl', 'local_lock=all', 'local_lock=flock'];

export function locksAreLocal(options: string): boolean {
  return options.split(',').some((option) => LOCAL_LOCKS.includes(option));
}

export function isNetwork(type: string | undefined): boolean {
  const { keeps, locks } = storageOf(type);
  return keeps === 'server' || locks === 'server' || locks === 'server-tested' || locks === 'mount';
}

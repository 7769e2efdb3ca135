import type { Descriptor, Files, OpenMode } from '../../src/os/ports.ts';

/** One call to the file port, with paths where the port has descriptors. */
export type FileCall = {
  readonly name: keyof Files;
  readonly path: string;
  /** Of `open`. */
  readonly mode?: OpenMode;
  /** Of `rename` and `link`. */
  readonly to?: string;
};

/**
 * A file port that tells `look` of each call before it is made, and fails with what `look` throws. A close is
 * made first and then told, as the kernel gives a descriptor back even when close(2) fails.
 */
export function interceptFiles(files: Files, look: (call: FileCall) => void): Files {
  const paths = new Map<Descriptor, string>();
  const seen = (name: keyof Files, descriptor: Descriptor) =>
    look({ name, path: paths.get(descriptor) ?? 'no file' });
  return {
    open: async (path, mode) => {
      look({ name: 'open', path, mode });
      const descriptor = await files.open(path, mode);
      paths.set(descriptor, path);
      return descriptor;
    },
    close: async (descriptor) => {
      const path = paths.get(descriptor) ?? 'no file';
      paths.delete(descriptor);
      await files.close(descriptor);
      look({ name: 'close', path });
    },
    read: async (descriptor, buffer, offset, length) => {
      seen('read', descriptor);
      return files.read(descriptor, buffer, offset, length);
    },
    readAside: async (descriptor, buffer, offset, length) => {
      seen('readAside', descriptor);
      return files.readAside(descriptor, buffer, offset, length);
    },
    write: async (descriptor, bytes) => {
      seen('write', descriptor);
      await files.write(descriptor, bytes);
    },
    writeAt: async (descriptor, bytes, position) => {
      seen('writeAt', descriptor);
      await files.writeAt(descriptor, bytes, position);
    },
    fsync: async (descriptor) => {
      seen('fsync', descriptor);
      await files.fsync(descriptor);
    },
    fsyncAside: async (descriptor) => {
      seen('fsyncAside', descriptor);
      await files.fsyncAside(descriptor);
    },
    fsyncAll: async (descriptors) => {
      for (const descriptor of descriptors) seen('fsync', descriptor);
      await files.fsyncAll(descriptors);
    },
    fstat: async (descriptor) => {
      seen('fstat', descriptor);
      return files.fstat(descriptor);
    },
    fchmod: async (descriptor, mode) => {
      seen('fchmod', descriptor);
      await files.fchmod(descriptor, mode);
    },
    stat: async (path) => {
      look({ name: 'stat', path });
      return files.stat(path);
    },
    exists: async (path) => {
      look({ name: 'exists', path });
      return files.exists(path);
    },
    readdir: async (path) => {
      look({ name: 'readdir', path });
      return files.readdir(path);
    },
    rename: async (from, to) => {
      look({ name: 'rename', path: from, to });
      await files.rename(from, to);
    },
    link: async (existing, added) => {
      look({ name: 'link', path: existing, to: added });
      await files.link(existing, added);
    },
    unlink: async (path) => {
      look({ name: 'unlink', path });
      await files.unlink(path);
    },
    mkdir: async (path) => {
      look({ name: 'mkdir', path });
      await files.mkdir(path);
    },
    rmdir: async (path) => {
      look({ name: 'rmdir', path });
      await files.rmdir(path);
    },
    touch: async (path) => {
      look({ name: 'touch', path });
      await files.touch(path);
    },
    realPath: async (path) => {
      look({ name: 'realPath', path });
      return files.realPath(path);
    },
    statfs: async (path) => {
      look({ name: 'statfs', path });
      return files.statfs(path);
    },
  };
}

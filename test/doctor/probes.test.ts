/** Each probe on a machine that does wrong in just the way it is there to find. */

import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { withBench } from '../../src/doctor/bench.ts';
import { notMeasured, type Outcome, type Verdict } from '../../src/doctor/probe.ts';
import { PROBES } from '../../src/doctor/probes.ts';
import type { Descriptor, Files, Host, Locks, Machine, Watches } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { faultyFiles, systemError } from '../support/faulty-files.ts';
import type { FileCall } from '../support/intercepted-files.ts';
import { machineWith, manualClock } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

beforeAll(async () => {
  // The first watch of a process opens the one inotify descriptor that all of its watches share.
  (await realMachine.watches.watch('/', { onChange: () => {}, onLost: () => {} }))();
});
const temporary = useTemporary();

const real = realMachine.files;

function newDirectory(): string {
  return fs.mkdtempSync(temporary.path('dir-'));
}

async function outcomeOf(name: string, ports: Partial<Machine> = {}): Promise<Outcome> {
  const probe = PROBES.find((candidate) => candidate.name === name);
  if (probe === undefined) throw new Error(`there is no probe ${name}`);
  const parent = newDirectory();
  // The bench is made and removed by the real machine: only the probe meets the faulty one.
  const outcome = await withBench(realMachine, parent, new AbortController().signal, (bench) =>
    probe.measure({ ...bench, machine: machineWith(ports) }),
  );
  expect(fs.readdirSync(parent)).toEqual([]);
  return outcome;
}

type Case = [probe: string, fault: string, ports: () => Partial<Machine>, verdict: Verdict, seen: RegExp];

const files = (changed: Partial<Files>) => () => ({ files: { ...real, ...changed } });
const failing = (fault: (call: FileCall) => string | undefined) => () => ({
  files: faultyFiles(real, fault),
});
const locks = (tryLock: Locks['tryLock']) => () => ({ locks: { tryLock, unlock: () => {} } });
const watching = (watch: Watches['watch']) => () => ({ watches: { watch }, clock: manualClock() });
const host = (env: [string, string][]) => (): { host: Host } => ({
  host: { ...realMachine.host, env: () => new Map(env) },
});
const timesShifted = (ms: number) =>
  files({
    stat: async (path) => {
      const status = await real.stat(path);
      return { ...status, modifiedMs: status.modifiedMs + ms };
    },
  });

/** File times that go on in such steps, on a clock that goes on as somebody waits. */
function timesInSteps(stepMs: number) {
  return () => {
    const clock = manualClock();
    const stat: Files['stat'] = async (path) => ({
      ...(await real.stat(path)),
      modifiedMs: Math.floor(clock.waitedMs / stepMs) * stepMs,
    });
    return { clock, files: { ...real, touch: () => {}, stat } };
  };
}

/** A machine whose /proc says that everything is on such a file system. */
function mounted(type: string, options = 'rw') {
  return () => {
    const directory = newDirectory();
    fs.writeFileSync(`${directory}/fdinfo`, 'pos:\t0\nflags:\t0\nmnt_id:\t77\nino:\t1\n');
    const other = '76 1 8:1 / /a\\040b rw,relatime shared:1 - ext4 /dev/sda1 rw';
    const ours = `77 1 0:50 / /mnt/q ${options} shared:2 master:1 - ${type} host:/q rw,vers=4.2`;
    fs.writeFileSync(`${directory}/mountinfo`, `${other}\n${ours}\n`);
    const open: Files['open'] = (path, mode) => {
      const told = /^\/proc\/self\/(fdinfo|mountinfo)/.exec(path)?.[1];
      return real.open(told === undefined ? path : `${directory}/${told}`, mode);
    };
    return { files: { ...real, open } };
  };
}

/** A GlusterFS volume at /mnt/q whose mount says this of itself; nothing: it does not say. */
function volume(name?: string) {
  return () => {
    const { files: ofMount } = mounted('fuse.glusterfs')();
    const cmdline = `${newDirectory()}/cmdline`;
    fs.writeFileSync(cmdline, '--attribute-timeout=0 --entry-timeout=0 --negative-timeout=0 /mnt/q');
    const said = new Map([
      ['/mnt/q/.meta/cmdline', cmdline],
      [
        '/mnt/q/.meta/graphs/active/volfile',
        fileURLToPath(new URL(`../fixtures/glusterfs/${name}.vol`, import.meta.url)),
      ],
    ]);
    const open: Files['open'] = (path, mode) => ofMount.open(said.get(path) ?? path, mode);
    return { files: { ...ofMount, open } };
  };
}

const room = (free: bigint, inodes: bigint, freeInodes: bigint) =>
  files({ statfs: () => ({ type: 0n, size: 1n << 40n, free, inodes, freeInodes }) });

const CASES: Case[] = [
  [
    'exclusive-create',
    'O_EXCL is not heeded',
    files({ open: (path, mode) => real.open(path, mode === 'create' ? 'truncate' : mode) }),
    'fails',
    /second file/,
  ],
  ['link', 'no hard links', failing(({ name }) => (name === 'link' ? 'EPERM' : undefined)), 'fails', /none/],
  [
    'link',
    'links are copies made later',
    files({ link: (_, added) => fs.writeFileSync(added, '') }),
    'fails',
    /another file/,
  ],
  [
    'link',
    'links replace',
    files({
      link: (existing, added) => {
        if (!fs.existsSync(added)) fs.linkSync(existing, added);
      },
    }),
    'fails',
    /taken/,
  ],
  ['rename', 'nothing is replaced', files({ rename: () => {} }), 'fails', /not replaced/],
  [
    'rename',
    'both names stay',
    files({
      rename: async (from, to) => {
        if (fs.existsSync(to)) await real.unlink(to);
        await real.link(from, to);
      },
    }),
    'fails',
    /stayed/,
  ],
  [
    'rename',
    'not between directories',
    failing(({ name, to }) => (name === 'rename' && to?.includes('below') ? 'EXDEV' : undefined)),
    'fails',
    /another file system/,
  ],
  [
    'atomic-rename',
    'the old file goes first',
    files({
      rename: async (from, to) => {
        await real.unlink(to);
        await new Promise((resolve) => setTimeout(resolve, 20));
        await real.rename(from, to);
      },
    }),
    'fails',
    /for a moment/,
  ],
  [
    'atomic-rename',
    'no processes',
    () => ({
      processes: {
        ...realMachine.processes,
        spawn: () => {
          throw systemError('ENOENT', 'spawn');
        },
      },
    }),
    'unknown',
    /no such file/,
  ],
  [
    'open-unlinked',
    'stale handles',
    failing(({ name }) => (name === 'read' ? 'ESTALE' : undefined)),
    'fails',
    /no longer be read/,
  ],
  ['open-unlinked', 'content goes with the name', files({ read: () => 0 }), 'fails', /lost/],
  ['lock', 'locks exclude nobody', locks(() => true), 'fails', /only one may have/],
  ['lock', 'locks exclude everybody', locks(() => false), 'fails', /free lock was refused/],
  ['lock', 'shared locks exclude each other', onlyExclusive, 'fails', /cannot share/],
  [
    'lock',
    'no locks',
    locks(() => {
      throw systemError('ENOLCK', 'flock');
    }),
    'fails',
    /there is none/,
  ],
  ['lock-processes', 'locks exclude no other process', locks(() => true), 'fails', /at once/],
  ['lock-processes', 'no program flock', host([['PATH', '/nonexistent']]), 'unknown', /not installed/],
  ['lock-processes', 'others never get a lock', fakeFlock, 'fails', /nobody has/],
  [
    'sync-file',
    'the disk fails',
    failing(({ name }) => (name === 'fsync' ? 'EIO' : undefined)),
    'fails',
    /error/,
  ],
  [
    'sync-directory',
    'no such call',
    failing(({ name }) => (name === 'fsync' ? 'EINVAL' : undefined)),
    'fails',
    /no such call/,
  ],
  [
    'sync-directory',
    'the disk fails',
    failing(({ name }) => (name === 'fsync' ? 'EIO' : undefined)),
    'fails',
    /refused: the disk reports/,
  ],
  [
    'sync-directory',
    'directories may not be opened',
    failing(({ mode }) => (mode === 'directory' ? 'EACCES' : undefined)),
    'unknown',
    /may not be opened/,
  ],
  ['keeps', 'ext4', mounted('ext4'), 'holds', /among our tests/],
  ['keeps', 'tmpfs', mounted('tmpfs'), 'fails', /in memory/],
  ['keeps', 'NFS', mounted('nfs4'), 'unknown', /server/],
  ['keeps', 'ZFS', mounted('zfs'), 'unknown', /not among our tests/],
  ['keeps', 'something new', mounted('newfs'), 'unknown', /below newfs/],
  [
    'keeps',
    'no /proc',
    failing(({ path }) => (path.startsWith('/proc') ? 'ENOENT' : undefined)),
    'unknown',
    /this/,
  ],
  ['lock-hosts', 'ext4', mounted('ext4'), 'holds', /nobody but this host/],
  ['lock-hosts', 'sshfs', mounted('fuse.sshfs'), 'fails', /one mount only/],
  ['lock-hosts', 'NFS', mounted('nfs4'), 'unknown', /cannot be tried/],
  ['lock-hosts', 'NFS with local locks', mounted('nfs', 'rw,local_lock=all'), 'fails', /stay on this host/],
  ['lock-hosts', 'something new', mounted('fuse.newfs'), 'unknown', /not known/],
  ['volume', 'GlusterFS as advised', volume('as-advised'), 'holds', /as they should be/],
  ['volume', 'GlusterFS as it comes', volume('defaults'), 'fails', /not off: performance\.write-behind/],
  ['volume', 'GlusterFS that does not say', volume(), 'unknown', /does not say/],
  ['events', 'no event comes', watching(() => () => {}), 'fails', /none came within 1000 ms/],
  [
    'events',
    'no watches left',
    watching(() => {
      throw systemError('ENOSPC', 'watch');
    }),
    'fails',
    /max_user_watches/,
  ],
  [
    'events',
    'the watch is lost',
    watching((_, { onLost }) => {
      onLost(systemError('ENOENT', 'watch') as never);
      return () => {};
    }),
    'fails',
    /ENOENT/,
  ],
  [
    'events',
    'a full disk',
    failing(({ name }) => (name === 'open' ? 'ENOSPC' : undefined)),
    'unknown',
    /no space/,
  ],
  ['clock-skew', 'a clock that is ahead', timesShifted(5000), 'fails', /^5\d\d\d ms ahead|^4\d\d\d ms ahead/],
  [
    'clock-skew',
    'a clock that is behind',
    timesShifted(-5000),
    'fails',
    /^5\d\d\d ms behind|^4\d\d\d ms behind/,
  ],
  ['clock-skew', 'a clock that is nearly right', timesShifted(-700), 'holds', /ms behind/],
  ['time-steps', 'steps of 2 s', timesInSteps(2000), 'fails', /^2000 ms/],
  ['time-steps', 'steps of 1 s', timesInSteps(1000), 'holds', /^1000 ms/],
  ['time-steps', 'times that stand', timesInSteps(1e9), 'fails', /do not change/],
  [
    'long-names',
    'names of 143 bytes',
    failing(({ name, path }) =>
      name === 'open' && (path.split('/').at(-1)?.length ?? 0) > 143 ? 'ENAMETOOLONG' : undefined,
    ),
    'fails',
    /up to 143 bytes/,
  ],
  [
    'odd-names',
    'UTF-8 only',
    failing(({ name, path }) => (name === 'open' && !path.isWellFormed() ? 'EILSEQ' : undefined)),
    'fails',
    /not UTF-8/,
  ],
  [
    'odd-names',
    'newlines changed',
    files({
      readdir: async (path) =>
        (await real.readdir(path)).map((entry) => ({ ...entry, name: entry.name.replaceAll('\n', '?') })),
    }),
    'fails',
    /newline/,
  ],
  [
    'letter-case',
    'not told apart',
    files({ exists: (path) => real.exists(path.replace('CASE-ABC', 'case-abc')) }),
    'fails',
    /same/,
  ],
  ['space', 'no blocks', room(1n << 20n, 100_000n, 90_000n), 'fails', /only 1 MiB/],
  ['space', 'no inodes', room(1n << 40n, 100_000n, 3n), 'fails', /and 3 files/],
  ['space', 'inodes without limit', room(1n << 40n, 0n, 0n), 'holds', /MiB are free/],
];

/** Locks of which there is only one kind. */
function onlyExclusive() {
  const held = new Set<Descriptor>();
  return {
    locks: {
      tryLock: (descriptor: Descriptor) => {
        if (held.size > 0 && !held.has(descriptor)) return false;
        held.add(descriptor);
        return true;
      },
      unlock: (descriptor: Descriptor) => void held.delete(descriptor),
    },
  };
}

function fakeFlock() {
  const directory = newDirectory();
  fs.writeFileSync(`${directory}/flock`, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return host([['PATH', directory]])();
}

describe('a probe', () => {
  it.each(CASES)('%s: %s', async (probe, _, ports, verdict, seen) => {
    // What a probe does not expect is told as not measured.
    const outcome = await outcomeOf(probe, ports()).catch(notMeasured);
    expect(outcome.seen).toMatch(seen);
    expect(outcome.verdict).toBe(verdict);
  });

  it.each(
    PROBES.map(({ name }) => name).filter((name) => !/^(keeps|lock-hosts|space|link|long-names)$/.test(name)),
  )('%s holds on this machine', async (name) => {
    expect(await outcomeOf(name)).toMatchObject({ verdict: 'holds' });
  });

  it('has a fault that it finds', () => {
    const found = new Set(CASES.filter(([, , , verdict]) => verdict === 'fails').map(([probe]) => probe));
    expect([...found].sort()).toEqual(PROBES.map(({ name }) => name).sort());
  });
});

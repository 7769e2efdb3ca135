/** The backup demo, run as `npm run demo` runs it: it tells the truth, and leaves nothing behind. */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { differences, readTree } from '../examples/backup-demo/compare.mjs';
import { planDeliveries } from '../examples/backup-demo/courier.mjs';
import { eventually } from './support/fspl.ts';

const DEMO = fileURLToPath(new URL('../examples/backup-demo/run.mjs', import.meta.url));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'intray-demo-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the demo', () => {
  test.each([1, 7, 20, 4_294_967_295])('restores five nights, with seed %i', async (seed) => {
    const { code, stdout, stderr } = await startDemo(['--seed', String(seed)]).ended;
    expect(stderr).toBe('');
    const { late, deliveries } = planDeliveries(seed);
    expect(stdout).toContain(`--seed ${seed}\n`);
    expect(stdout).toContain(`Night ${late} is late.`);
    expect(stdout).toContain('in the middle of a packet');
    expect(stdout).toContain(`job ${late} is missing`);
    expect(stdout).toContain('  Different: 0\n');
    expect(stdout).toMatch(/Different: [1-9]\d* names/);
    expect(stdout).toContain(`arrived  ${deliveries.flat().join(' ')}\n`);
    expect(stdout).toContain('ran      1 2 3 4 5\n');
    expect(stdout).toContain('The server has what the laptop has.');
    expect(code).toBe(0);
    // Plain when piped, and it fits.
    expect(stdout).not.toContain('\x1b');
    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.length).toBeLessThan(100);
    await expectNothingLeft();
  });

  test.each([
    ['while the laptop works', 'Night 3', 'SIGINT', 130],
    ['while the server works', 'cron', 'SIGTERM', 143],
  ] as const)('is interrupted %s', async (_when, line, signal, expected) => {
    const { child, ended, output } = startDemo(['--seed', '7']);
    await eventually(() => output.stdout.includes(line), line);
    child.kill(signal);
    expect((await ended).code).toBe(expected);
    await expectNothingLeft();
  });

  test('ends when its reader has gone', async () => {
    const { child, ended } = startDemo(['--seed', '7']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect((await ended).code).toBe(1);
    await expectNothingLeft();
  });

  test('keeps everything when asked to', async () => {
    const { code, stderr } = await startDemo(['--keep']).ended;
    expect(code).toBe(0);
    const [kept = ''] = readdirSync(dir);
    expect(stderr).toContain(`Everything is in ${join(dir, kept)}`);
    const home = readTree(join(dir, kept, 'laptop/home'));
    const restored = readTree(join(dir, kept, 'server/restore'));
    expect(differences(home, restored)).toEqual([]);
    expect(home.size).toBeGreaterThan(300);
  });

  test('fails when what is restored is not the same', async () => {
    // A tar that is GNU tar and does what it should, except that it spoils one file after unpacking.
    const spoiler = `case " $* " in *" restore "*) tar_of_system "$@" && chmod 600 restore/code/intray/LICENSE ;;
    *) tar_of_system "$@" ;; esac`;
    const bin = fakeTar(`tar_of_system() { PATH=\${PATH#*"$FAKE":} command tar "$@"; }\n${spoiler}`);
    const { code, stdout } = await startDemo(['--seed', '7'], {
      FAKE: bin,
      PATH: `${bin}:${process.env.PATH}`,
    }).ended;
    expect(stdout).toContain('"code/intray/LICENSE": mode: 644, now 600');
    expect(stdout).toContain('The server does NOT have what the laptop has.');
    expect(code).toBe(1);
    rmSync(bin, { recursive: true });
    await expectNothingLeft();
  });

  test('says so where tar is not GNU tar', async () => {
    const { code, stderr } = await startDemo([], { PATH: fakeTar('echo "bsdtar 3.7.2"') }).ended;
    expect(stderr).toContain('This demo needs GNU tar');
    expect(code).toBe(1);
  });

  test.each([['--seed', 'x'], ['--seed', '4294967296'], ['--nights'], ['six']])(
    'refuses %s %s',
    async (...args) => {
      const { code, stderr } = await startDemo(args).ended;
      expect(stderr).toMatch(/^Error: /);
      expect(code).toBe(2);
      await expectNothingLeft();
    },
  );
});

describe('the courier', () => {
  test('brings five nights in three deliveries, the second or the third last', () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 1000; seed += 1) {
      const { late, deliveries } = planDeliveries(seed);
      expect([2, 3]).toContain(late);
      expect(deliveries.map((nights) => nights.length)).toEqual([2, 2, 1]);
      expect(deliveries.flat().toSorted()).toEqual([1, 2, 3, 4, 5]);
      expect(deliveries[2]).toEqual([late]);
      orders.add(deliveries.flat().join(' '));
    }
    expect(orders.size).toBe(2 * 24);
  });
});

describe('the comparison', () => {
  const spoilers: [
    what: string,
    spoil: (copy: string) => void,
    expected: { path: string; what: string }[],
  ][] = [
    ['nothing', () => {}, []],
    ['a missing file', (copy) => rmSync(join(copy, 'plain')), [{ path: 'plain', what: 'missing' }]],
    ['an extra file', (copy) => writeFileSync(join(copy, 'new'), ''), [{ path: 'new', what: 'extra' }]],
    ['an extra directory', (copy) => mkdirSync(join(copy, 'new')), [{ path: 'new', what: 'extra' }]],
    [
      'content of the same length',
      (copy) => {
        writeFileSync(join(copy, 'plain'), 'PLAIN');
        utimesSync(join(copy, 'plain'), 1000, 1000);
      },
      [{ path: 'plain', what: 'content' }],
    ],
    [
      'the mode of a file',
      (copy) => chmodSync(join(copy, 'plain'), 0o600),
      [{ path: 'plain', what: 'mode: 644, now 600' }],
    ],
    [
      'the mode of a directory',
      (copy) => chmodSync(join(copy, 'sub'), 0o700),
      [{ path: 'sub', what: 'mode: 755, now 700' }],
    ],
    [
      'the time of a file',
      (copy) => utimesSync(join(copy, 'plain'), 1000, 1001),
      [{ path: 'plain', what: 'modified: 1000, now 1001' }],
    ],
    [
      'where a link leads',
      (copy) => {
        rmSync(join(copy, 'link'));
        symlinkSync('sub', join(copy, 'link'));
      },
      [{ path: 'link', what: 'link target: plain, now sub' }],
    ],
    [
      'a file for a link',
      (copy) => {
        rmSync(join(copy, 'link'));
        writeFileSync(join(copy, 'link'), 'plain');
      },
      [{ path: 'link', what: 'type: symbolic link, now file' }],
    ],
    [
      'a directory for a file',
      (copy) => {
        rmSync(join(copy, 'plain'));
        mkdirSync(join(copy, 'plain'));
      },
      [{ path: 'plain', what: 'type: file, now directory' }],
    ],
    [
      'a copy for a hard link',
      (copy) => {
        rmSync(join(copy, 'sub/twin'));
        writeFileSync(join(copy, 'sub/twin'), 'twin');
        utimesSync(join(copy, 'sub/twin'), 1000, 1000);
      },
      [
        { path: 'sub/twin', what: 'hard links: "twin", now none' },
        { path: 'twin', what: 'hard links: "sub/twin", now none' },
      ],
    ],
    [
      'a renamed file',
      (copy) => renameSync(join(copy, 'plain'), join(copy, 'plain ')),
      [
        { path: 'plain', what: 'missing' },
        { path: 'plain ', what: 'extra' },
      ],
    ],
  ];

  test.each(spoilers)('sees %s', (_what, spoil, expected) => {
    const source = sampleTree('source');
    const copy = sampleTree('copy');
    spoil(copy);
    expect(differences(readTree(source), readTree(copy))).toEqual(expected);
  });
});

function sampleTree(name: string): string {
  const top = join(dir, name);
  mkdirSync(join(top, 'sub'), { recursive: true });
  writeFileSync(join(top, 'plain'), 'plain');
  writeFileSync(join(top, 'twin'), 'twin');
  for (const file of ['plain', 'twin']) {
    chmodSync(join(top, file), 0o644);
    utimesSync(join(top, file), 1000, 1000);
  }
  chmodSync(join(top, 'sub'), 0o755);
  linkSync(join(top, 'twin'), join(top, 'sub/twin'));
  symlinkSync('plain', join(top, 'link'));
  return top;
}

type Output = { stdout: string; stderr: string };
type Demo = {
  readonly child: ChildProcess;
  readonly output: Output;
  readonly ended: Promise<Output & { code: number | null }>;
};

function startDemo(args: readonly string[], env: NodeJS.ProcessEnv = {}): Demo {
  const child = spawn(process.execPath, [DEMO, ...args], {
    env: { ...process.env, TMPDIR: dir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<Output & { code: number | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...output, code }));
  });
  return { child, output, ended };
}

/** A directory with nothing but a tar of ours in it. */
function fakeTar(lines: string): string {
  const bin = join(dir, 'fake');
  mkdirSync(bin);
  writeFileSync(join(bin, 'tar'), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return bin;
}

async function expectNothingLeft(): Promise<void> {
  expect(readdirSync(dir)).toEqual([]);
  await eventually(() => ours().length === 0, `the end of ${ours().join('; ')}`);
}

/** The processes that were started with our TMPDIR, where the system tells. */
function ours(): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  const found: string[] = [];
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const variables = readFileSync(`/proc/${id}/environ`, 'utf8').split('\0');
      if (variables.includes(`TMPDIR=${dir}`)) {
        found.push(`${id} ${readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ')}`);
      }
    } catch {
      // It has ended, or is not ours to look at.
    }
  }
  return found;
}

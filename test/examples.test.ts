/** The examples of the library, and the commands of the backup demo's page, do what they say. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { differences, readTree } from '../examples/backup-demo/compare.mjs';
import { EXECUTABLE } from './support/fspl.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'intray-examples-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the examples of the library', () => {
  test.each([
    [
      'add-and-work.ts',
      [
        'added    1  Ada',
        'added    2  Grace',
        'added    3  Edsger',
        'sent     1  Dear Ada,',
        'failed   2  the post office is closed',
        'waiting  2, 3',
        'sent     2  Dear Grace,',
        'sent     3  Dear Edsger,',
        'sent 3, waiting 0',
      ],
    ],
    [
      'run-commands.ts',
      ['job 1, this file: begins with /**', 'job 2, three lines: begins with one', '2 succeeded, 1 failed'],
    ],
    ['relay.ts', ['order 1', 'order 3', '2 of 3 went on']],
    [
      'serve.ts',
      [
        'added twice: no',
        'run 1 failed: the bank is closed; it is tried again',
        'alice: placed, paid, sent',
        'bob: placed, paid, sent',
        'letters: Dear Ada',
        '7 succeeded, 0 failed',
      ],
    ],
  ])('%s', (name, lines) => {
    const bun = join(root, 'node_modules/.bin/bun');
    const { status, stdout, stderr } = spawnSync(bun, [join(root, 'examples', name)], {
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: dir },
    });
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toEqual(lines);
    expect(status).toBe(0);
    expect(readdirSync(dir).filter((left) => left.startsWith('intray-'))).toEqual([]);
  });
});

describe('the commands on the page of the backup demo', () => {
  const blocks = codeBlocks(readFileSync(join(root, 'examples/backup-demo/README.md'), 'utf8'));
  const block = (beginning: string) => {
    const found = blocks.find((lines) => lines.startsWith(beginning));
    if (found === undefined) throw new Error(`there is no block that begins with ${beginning}`);
    return found;
  };
  const send = block('# ssh').replace(/^# .*\n/, '');
  const receive = block('*/5').replace(/^\S+ \S+ \S+ \S+ \S+ +/, '');
  const fillGap = block('next=');

  test('keep a directory and its copy the same', () => {
    const { run, documents } = home();
    run(block('fspl queue-init'));
    const night = () => run(block('#!/bin/bash'));

    writeFileSync(join(documents, 'a'), 'a');
    writeFileSync(join(documents, 'b'), 'b');
    night();
    rmSync(join(documents, 'a'));
    writeFileSync(join(documents, 'c'), 'c');
    night();
    run(send);
    run(receive);
    expect(copyDiffers()).toEqual([]);
    expect(readdirSync(join(dir, 'outbox'))).toEqual([]);

    // A night that fails costs no number.
    mkdirSync(join(dir, 'elsewhere'));
    run('mv documents elsewhere/');
    expect(night().status).toBe(1);
    run('mv elsewhere/documents .');
    expect(readdirSync(join(dir, 'outbox'))).toEqual([]);
    writeFileSync(join(documents, 'd'), 'd');
    night();
    run(send);
    run(receive);
    expect(copyDiffers()).toEqual([]);
  });

  test('fill the gap that a power cut left', () => {
    const { run, documents } = home();
    run(block('fspl queue-init'));
    run(
      'fspl prepare-set-next -s ~/state 12; fspl queue-set-next -q ~/queue 12; fspl prepare-nop -s ~/state',
    );
    writeFileSync(join(documents, 'a'), 'a');
    run(block('#!/bin/bash'));
    run(send);
    expect(run(receive).stderr).toContain('job 12 is missing');
    run(fillGap);
    run(send);
    expect(run(receive).stderr).toBe('');
    expect(copyDiffers()).toEqual([]);
    expect(run('fspl prepare-get-next -s ~/state').stdout).toBe('14\n');
  });

  const copyDiffers = () => differences(readTree(join(dir, 'documents')), readTree(join(dir, 'restore')));
});

/** A home directory that is the laptop's and the server's, with an ssh that goes nowhere. */
function home() {
  const documents = join(dir, 'documents');
  for (const path of ['bin', 'outbox', 'documents']) mkdirSync(join(dir, path));
  writeFileSync(join(dir, 'bin/ssh'), '#!/bin/sh\ncd && exec sh -c "$2"\n', { mode: 0o755 });
  writeFileSync(join(dir, 'bin/fspl'), `#!/bin/sh\nexec '${EXECUTABLE}' "$@"\n`, { mode: 0o755 });
  const run = (script: string) =>
    spawnSync('bash', ['-c', script], {
      cwd: dir,
      encoding: 'utf8',
      env: { ...process.env, HOME: dir, PATH: `${join(dir, 'bin')}:${process.env.PATH}` },
    });
  return { run, documents };
}

/** The indented blocks of a page, without their indentation. */
function codeBlocks(page: string): string[] {
  return page
    .split(/\n(?! {4}|\n)/)
    .flatMap((part) => part.split('\n\n    '))
    .slice(1)
    .map((part) => part.replaceAll(/^ {4}/gm, '').trimEnd());
}

/**
 * How users of Filespooler work in parallel with several queues: their recipes, as they are written, with our fspl, and
 * really at once.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INTRAY_VARIANTS, intrayCli } from '../support/intray-cli.ts';

const DISPERSE = `#!/bin/sh
set -eu
ln "$FSPL_JOB_FULLPATH" "$1/jobs/$FSPL_JOB_FILENAME"
cat >/dev/null
`;

/** One processor, as cron would run it again and again, until there is nothing left for it. */
const PROCESSOR = `#!/bin/sh
while [ "$(ls incoming/jobs $1/jobs | grep -c fspl-)" -gt 0 ]; do
  if ! fspl queue-ls -q "$1" | grep -q fspl-; then
    fspl queue-process -q incoming --maxjobs 1 ./disperse -- "$1" 2>/dev/null
  fi
  fspl queue-process -q "$1" --order-by=Timestamp sh -- -c 'echo "$0 $(cat)" >> done' "$1"
done
`;

describe.each(INTRAY_VARIANTS)('with fspl as %s', (_name, program, first) => {
  it('one queue is dispersed to processors that work at once, each job to one of them', () => {
    const { dir, sh, read, list } = intrayCli(program, first);
    writeFileSync(join(dir, 'disperse'), DISPERSE, { mode: 0o755 });
    writeFileSync(join(dir, 'processor'), PROCESSOR, { mode: 0o755 });
    sh('for q in incoming p1 p2; do fspl queue-init -q $q; done');
    sh(
      'for n in 1 2 3 4 5 6; do echo "job $n" | fspl prepare -s s -i - | fspl queue-write -q incoming; done',
    );
    const ended = sh('./processor p1 & ./processor p2 & wait');
    expect(ended.stderr).toBe('');
    const lines = read('done').trim().split('\n');
    expect(lines.map((line) => line.replace(/^p[12] /, '')).sort()).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => `job ${n}`),
    );
    for (const queue of ['incoming', 'p1', 'p2']) expect(list(`${queue}/jobs`)).toEqual([]);
  });

  it('several queues that senders take in turn are worked at once, each in its order', () => {
    const { sh, read } = intrayCli(program, first);
    sh('for n in 0 1 2; do fspl queue-init -q q$n; done');
    sh(
      'for n in 0 1 2 3 4 5 6 7 8; do q=q$((n % 3)); ' +
        'echo "job $n" | fspl prepare -s s.$q -i - | fspl queue-write -q $q; done',
    );
    // None ends before all three have begun.
    const meet =
      'touch here.$0; until [ -e here.q0 ] && [ -e here.q1 ] && [ -e here.q2 ]; do sleep 0.02; done; cat >> done.$0';
    sh(`for q in q0 q1 q2; do fspl queue-process -q $q --timeout 20 sh -- -c '${meet}' $q & done; wait`);
    for (const n of [0, 1, 2]) expect(read(`done.q${n}`)).toBe(`job ${n}\njob ${n + 3}\njob ${n + 6}\n`);
  });

  it('one worker does both, with the same directories', () => {
    const { run, sh, read } = intrayCli(program, first);
    sh('for q in incoming q1 q2; do fspl queue-init -q $q; done');
    sh(
      'for n in 1 2 3 4; do for q in q1 q2; do echo "$n" | fspl prepare -s s.$q -i - | fspl queue-write -q $q; done; done',
    );
    expect(
      run(['work', 'q1', 'q2', '-j2', '--', 'sh', '-c', 'cat >> done.$(basename $FSPL_JOB_QUEUEDIR)']),
    ).toMatchObject({
      status: 0,
      stderr: '',
    });
    for (const q of ['q1', 'q2']) expect(read(`done.${q}`)).toBe('1\n2\n3\n4\n');

    expect(run(['init', 'incoming', '--any-order']).status).toBe(0);
    sh('for n in 1 2 3; do echo "$n" | fspl prepare -s s -i - | fspl queue-write -q incoming; done');
    // All three at once: each waits for the others.
    const meet =
      'read n; touch here.$n; until [ -e here.1 ] && [ -e here.2 ] && [ -e here.3 ]; do sleep 0.02; done';
    expect(run(['work', 'incoming', '-j3', '-t', '20s', '--', 'sh', '-c', meet])).toMatchObject({
      status: 0,
      stderr: '',
    });
  });
});

/** The `fsq` command, as its users call it. */

import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { INTRAY_VARIANTS, intrayCli, jsonLines } from '../support/intray-cli.ts';
import { eventually } from '../support/temporary.ts';

describe.each(INTRAY_VARIANTS)('fsq, %s', (_, program, first) => {
  const cli = () => {
    const made = intrayCli(program, first);
    const env = { FSQ_ROOT: made.dir };
    return { ...made, fsq: (line: string, more = {}) => made.sh(line, { ...env, ...more }) };
  };

  it('takes an item from enqueue to done, its arguments behind those of the program', () => {
    const { fsq, list } = cli();
    expect(fsq('fsq install mail').status).toBe(0);
    expect(fsq('echo Hello | fsq enqueue mail alice -x "a b/c"').status).toBe(0);
    const ran = fsq(`fsq scan mail sh -c 'cat; printf "[%s]" "$@"; echo $FSQ_ITEM_TRIES' sh --to`);
    expect(ran).toEqual({ status: 0, stdout: 'Hello\n[--to][alice][-x][a b/c]0\n', stderr: '' });
    expect(list('mail/queue')).toEqual([]);
    expect(list('mail/done')).toEqual([expect.stringMatching(/^_\d{14}_0_\d+_.*_0_alice_-x_a b%2fc$/)]);
    expect(fsq('fsq scan mail false').status).toBe(0);
  });

  it('tells apart by exit status what is done, what is to be tried again, and what has failed', () => {
    const { fsq, list } = cli();
    fsq('fsq install q; for code in 0 111 100 1; do fsq enqueue -e q $code; done');
    const scan = fsq(`fsq scan -m 3 q sh -c 'exit $1' sh`);
    expect(scan.status).toBe(0);
    expect(list('q/done')).toEqual([expect.stringMatching(/_0_0$/)]);
    expect(list('q/queue')).toEqual([expect.stringMatching(/_1_111$/)]);
    expect(
      list('q/fail')
        .map((name) => name.replace(/.*_/, ''))
        .sort(),
    ).toEqual(['1', '100']);
    fsq(`fsq scan -m 3 -S 111 -T 0 q sh -c 'exit $1' sh`);
    expect(list('q/done')).toHaveLength(2);
  });

  it('has its own exit statuses', () => {
    const { fsq } = cli();
    fsq('fsq install q');
    expect(fsq('fsq install q')).toMatchObject({ status: 111, stderr: expect.stringContaining('already') });
    expect(fsq('fsq install -i q').status).toBe(0);
    for (const line of [
      'fsq',
      'fsq nonsense',
      'fsq scan q',
      'fsq enqueue -Z q',
      'fsq install a/b',
      'fsq scan -t x q true',
    ]) {
      expect(fsq(line), line).toMatchObject({ status: 100, stdout: '' });
    }
    expect(fsq('fsq scan missing true')).toMatchObject({
      status: 111,
      stderr: expect.stringContaining('no queue of fsq'),
    });
    expect(fsq('fsq enqueue -e q x', { FSQ_DELIMITER: '//' })).toMatchObject({ status: 100 });
    expect(fsq(`fsq enqueue -e q ${'x'.repeat(300)}`)).toMatchObject({
      status: 100,
      stderr: expect.stringContaining('and file systems take 255'),
    });
    expect(fsq('fsq scan missing true', { FSQ_FAIL_TMP: '75' }).status).toBe(75);
  });

  it('fails the item and stops when its program is killed', () => {
    const { fsq, list } = cli();
    fsq('fsq install q; fsq enqueue -e q 1; fsq enqueue -e q 2');
    expect(fsq(`fsq scan q sh -c 'kill -9 $$'`)).toMatchObject({
      status: 111,
      stderr: expect.stringContaining('it was killed by signal 9'),
    });
    expect([list('q/queue').length, list('q/fail').length]).toEqual([1, 1]);
  });

  it('says what it did, lists, and puts back', () => {
    const { fsq, list } = cli();
    expect(fsq('fsq install -v q').stderr).toBe('fsq: q: installed\n');
    fsq('fsq enqueue -e q a; touch q/queue/odd; fsq scan q sh -c "exit 100"');
    const failed = jsonLines(fsq('fsq ls --failed --json q').stdout);
    expect(failed).toMatchObject([
      { arguments: ['a'], tries: 0, reason: 'it ended with exit code 100' },
      { name: 'odd', malformed: 'its name has 1 field, fewer than the 5 of an item' },
    ]);
    const name = String(failed[0]?.name);
    expect(fsq(`fsq retry q ${name}`).status).toBe(0);
    expect(fsq('fsq ls q').stdout).toBe(`${name}\n`);
    expect(fsq(`fsq done q ${name}`).status).toBe(0);
    expect(list('q/done')).toEqual([name]);
    expect(fsq(`fsq done q ${name}`)).toMatchObject({
      status: 111,
      stderr: expect.stringContaining('no such item'),
    });
    expect(fsq('fsq prune -n -t 0 q').stdout).toContain(`q/done/${name}\n`);
    expect(fsq('fsq prune -t 0 q').status).toBe(0);
    expect([list('q/done'), list('q/fail')]).toEqual([[], ['odd']]);
  });

  it('goes down and up, hosts too', () => {
    const { fsq, list } = cli();
    fsq('fsq install -a east q; fsq enqueue -e q x; fsq down q');
    expect(fsq('fsq scan q echo ran').stdout).toBe('');
    expect(fsq('fsq scan -i -D q echo ran').stdout).toBe('ran x\n');
    fsq('fsq up q; fsq down-host east q');
    expect(fsq('fsq host-dist q').status).toBe(0);
    expect(list('q/hosts/east/queue')).toEqual(list('q/done'));
    expect(fsq('fsq scan -a q echo ran').stdout).toBe('');
    fsq('fsq up-host east q');
    expect(fsq('fsq rm-host east q')).toMatchObject({
      status: 111,
      stderr: expect.stringContaining('1 items wait'),
    });
    expect(fsq(`fsq scan -A east q sh -c 'echo $FSQ_ITEM_HOST'`).stdout).toBe('east\n');
    expect(fsq('fsq rm-host east q; fsq add-host west q').status).toBe(0);
    expect(list('q/hosts')).toEqual(['west']);
  });

  it('keeps a pace, and can give nothing to its program', () => {
    const { fsq } = cli();
    fsq('fsq install q; for n in 1 2 3; do echo content | fsq enqueue q $n; done');
    const began = performance.now();
    expect(fsq(`fsq scan -n -E -r 5 q sh -c 'cat; env | grep FSQ_ITEM' sh`).stdout).toBe('');
    expect(performance.now() - began).toBeGreaterThan(400);
  });

  it('scans again when its trigger is pulled, until it is told to stop', async () => {
    const { fsq, start, list, dir } = cli();
    fsq('fsq install -t q');
    writeFileSync(`${dir}/append`, '#!/bin/sh\necho "$1" >> "$0.d"\n', { mode: 0o755 });
    const scanning = start(['fsq', '-r', dir, 'scan', '--forever', 'q', `${dir}/append`]);
    for (const n of ['1', '2', '3']) {
      await eventually(() => expect(fsq(`fsq enqueue -t -e q ${n}`).status).toBe(0));
      await eventually(() => expect(list('q/done').length).toBe(Number(n)));
    }
    const ended = new Promise((resolve) => scanning.once('exit', (code, signal) => resolve([code, signal])));
    scanning.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
  });
});

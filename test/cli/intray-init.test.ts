/** `intray init`: new queues, old ones, and what is no queue. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INTRAY_VARIANTS, intrayCli } from '../support/intray-cli.ts';
import { putJob } from '../support/packets.ts';

const ALL = [
  'README',
  'done',
  'failed',
  'jobs',
  'lanes',
  'log',
  'nextseq',
  'nextseq.lock',
  'receipts',
  'settings.json',
  'work',
];

describe.each(INTRAY_VARIANTS)('intray init with %s', (_name, program, first) => {
  it.each([
    [[], 'free'],
    [['--any-order'], 'free'],
    [['--ordered'], 'sequence'],
  ])('makes a queue with all its rooms, and says the next step: %j', (options, order) => {
    const { run, list, read } = intrayCli(program, first);
    const { status, stdout, stderr } = run(['init', 'q', ...options]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Made the queue q.');
    expect(stdout).toContain('echo hello | intray add q');
    expect(list('q')).toEqual(ALL);
    expect(JSON.parse(read('q/settings.json'))).toEqual({ order });
  });
});

describe('intray init', () => {
  it('quotes the name of the queue where the shell needs it', () => {
    expect(intrayCli().run(['init', 'my queue']).stdout).toContain("echo hello | intray add 'my queue'");
  });

  it('takes a directory that is empty, or that a crash of its own has left', () => {
    const { run, list, dir } = intrayCli();
    mkdirSync(join(dir, 'q'));
    expect(run(['init', 'q']).status).toBe(0);
    mkdirSync(join(dir, 'begun/work'), { recursive: true });
    writeFileSync(join(dir, 'begun/nextseq.lock'), '');
    expect(run(['init', 'begun']).status).toBe(0);
    expect(list('begun')).toEqual(ALL);
  });

  it('gives a queue of Filespooler its rooms, and touches nothing else', () => {
    const { run, sh, list, read } = intrayCli();
    sh(
      'fspl queue-init -q q; echo x | fspl prepare -s s -i - | fspl queue-write -q q; fspl queue-set-next -q q 1',
    );
    const before = list('q/jobs');
    const { status, stdout } = run(['init', 'q']);
    expect(status).toBe(0);
    expect(stdout).toContain('q is a queue already; added what parallel workers need. No job was touched.');
    expect(stdout).toContain('in the order of their numbers');
    expect(list('q/jobs')).toEqual(before);
    expect(list('q')).toEqual(ALL.filter((name) => name !== 'settings.json'));
    expect(sh('fspl queue-process -q q cat')).toEqual({ status: 0, stdout: 'x\n', stderr: '' });
    expect(read('q/nextseq')).toBe('2\n');
  });

  it('says when there is nothing to do', () => {
    const { run } = intrayCli();
    run(['init', 'q', '--ordered']);
    expect(run(['init', 'q']).stdout).toContain('nothing was changed');
    expect(JSON.parse(run(['init', 'q', '--ordered', '--json']).stdout)).toEqual({
      queue: 'q',
      made: false,
      roomsAdded: false,
      order: 'sequence',
      orderChanged: false,
    });
  });

  it('changes the order of a queue, and goes on with its numbers', () => {
    const { run, sh, read } = intrayCli();
    run(['init', 'q', '--ordered']);
    sh('echo a | intray add q; echo b | intray add q');
    expect(run(['init', 'q', '--any-order']).stdout).toContain('Changed the order of q.');
    expect(run(['work', 'q', '--', 'cat']).status).toBe(0);
    expect(read('q/nextseq')).toBe('1\n');
    expect(run(['init', 'q', '--ordered']).status).toBe(0);
    // Jobs 1 and 2 are over: the order begins with the next that is added.
    expect(sh('echo c | intray add q; intray work q -o inherit -- cat')).toMatchObject({ status: 0 });
    expect(read('q/nextseq')).toBe('4\n');
  });

  it('refuses to order jobs that were added in no order', () => {
    const { run, sh, read } = intrayCli();
    run(['init', 'q']);
    sh('echo a | intray add q');
    const { status, stderr } = run(['init', 'q', '--ordered']);
    expect(status).toBe(1);
    expect(stderr).toContain('q: 1 job that waits has no place in an order');
    expect(JSON.parse(read('q/settings.json'))).toEqual({ order: 'free' });
  });

  it('refuses to change a queue that is worked', () => {
    const { run, dir, sh } = intrayCli();
    run(['init', 'q', '--ordered']);
    sh('echo a | intray add q');
    writeFileSync(join(dir, 'change'), '#!/bin/sh\nintray init q --any-order 2>said; echo $? >status\n', {
      mode: 0o755,
    });
    expect(sh('intray work q -- ./change; cat status said')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /^7\n.*q: it is being worked now, and cannot be changed meanwhile/,
      ) as string,
    });
  });

  it('refuses what is no queue', () => {
    const { run, dir, list } = intrayCli();
    mkdirSync(join(dir, 'home'));
    writeFileSync(join(dir, 'home/letter'), 'x');
    expect(run(['init', 'home']).stderr).toContain(
      'home: it is there already, is no queue, and is not empty',
    );
    expect(run(['init', 'home/letter']).status).toBe(1);
    expect(list('home')).toEqual(['letter']);
    const missing = run(['init', 'a/b/q']);
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain('mkdir -p a/b');
    expect(run(['init']).stderr).toContain('DIR is missing');
    expect(run(['init', 'q', '--ordered', '--any-order']).status).toBe(2);
  });

  it('leaves an append-only queue as it is', () => {
    const { run, sh, list } = intrayCli();
    sh('fspl queue-init --append-only -q q');
    const { status, stderr } = run(['init', 'q']);
    expect(status).toBe(1);
    expect(stderr).toContain('append-only');
    expect(list('q')).toEqual(['jobs']);
  });

  it('knows jobs of other programs by what they are', () => {
    const { run, dir } = intrayCli();
    run(['init', 'q']);
    putJob(join(dir, 'q'), 'theirs', { seq: 1 });
    // It has a number of its own, and so a place in an order.
    expect(run(['init', 'q', '--ordered']).status).toBe(0);
  });
});

/** A packet that did not arrive whole is never queued, and never run as if it were. */

import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, exitOf, fsplFor, VARIANTS } from '../support/fspl.ts';

const STICKY = 0o1000;

describe.each(VARIANTS)('fspl run as %s', (_name, program, first) => {
  const open = () => {
    const fspl = fsplFor(program, first);
    expect(fspl.sh('fspl queue-init -q q').status).toBe(0);
    return { ...fspl, jobs: () => readdirSync(join(fspl.dir, 'q/jobs')) };
  };

  it('refuses the rest of a pipe whose prepare was killed, and leaves nothing behind', () => {
    const fspl = open();
    // The payload comes through a FIFO that stays open, so prepare is in the middle of it when it is killed.
    const result = fspl.sh(`mkfifo payload status
      (fspl prepare -s s -i payload & echo $! > pid; wait $!; echo $? > prepare) | { fspl queue-write -q q; echo $? > write; } &
      exec 3> payload
      head -c 300000 /dev/zero >&3
      kill -KILL $(cat pid)
      exec 3>&-
      wait; cat prepare write`);
    expect(result.stdout).toBe('137\n1\n');
    expect(result.stderr).toContain('in the middle of a packet, so nothing was queued');
    expect(fspl.jobs()).toEqual([]);
  });

  it('refuses it too when prepare could not read on', () => {
    const fspl = open();
    const result = fspl.sh('fspl prepare -s s -i /proc/self/mem | fspl queue-write -q q');
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('nothing was queued');
    expect(fspl.jobs()).toEqual([]);
  });

  it('takes a whole packet from a pipe, and one from a program in between', () => {
    const fspl = open();
    expect(fspl.sh('echo x | fspl prepare -s s -i - | fspl queue-write -q q').status).toBe(0);
    expect(fspl.sh('echo x | fspl prepare -s s -i - | cat | fspl queue-write -q q').status).toBe(0);
    expect(fspl.jobs().length).toBe(2);
  });

  it('refuses an empty input', () => {
    const fspl = open();
    const result = fspl.run(['queue-write', '-q', 'q']);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toContain('the input is empty, so nothing was queued');
    expect(fspl.jobs()).toEqual([]);
  });

  it('steps over a job file that is still being written, and runs it when it is whole', async () => {
    const fspl = open();
    const path = join(fspl.dir, 'q/jobs/fspl-slow.fspl');
    expect(fspl.sh('mkfifo payload').status).toBe(0);
    const sender = fspl.start(['prepare', '-s', 's', '-i', 'payload']);
    const target = openSync(path, 'w');
    const writer = openSync(join(fspl.dir, 'payload'), 'w');
    closeSync(target);
    sender.kill('SIGKILL');
    await exitOf(sender);
    closeSync(writer);

    const slow = spawnSync(
      'sh',
      [
        '-c',
        `"$@" > q/jobs/fspl-slow.fspl & sleep 0; exec 3> payload; while [ ! -k q/jobs/fspl-slow.fspl ]; do sleep 0.01; done
        ${quoted([program, ...first])} queue-process -q q cat; echo "status $?"; echo hello >&3; exec 3>&-; wait`,
        'sh',
        program,
        ...first,
        'prepare',
        '-s',
        '-',
        '-i',
        'payload',
      ],
      { cwd: fspl.dir, encoding: 'utf8', timeout: 30_000 },
    );
    expect(slow.stdout).toBe('status 0\n');
    expect(slow.stderr).toContain('the program that writes it has not finished; it was stepped over');
    expect(statSync(path).mode & STICKY).toBe(0);
    expect(fspl.run(['queue-process', '-q', 'q', 'cat']).stdout).toBe('hello\n');
  });

  it('names each kind of damage, and goes on', () => {
    const fspl = open();
    expect(fspl.sh('fspl prepare -s s > good; cp good q/jobs/fspl-good.fspl').status).toBe(0);
    const good = readFileSync(join(fspl.dir, 'good'));
    const put = (name: string, bytes: Buffer) => {
      const file = openSync(join(fspl.dir, `q/jobs/fspl-${name}.fspl`), 'w');
      writeSync(file, bytes);
      closeSync(file);
    };
    const changed = (at: number) => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      return bytes;
    };
    put('empty', Buffer.alloc(0));
    put('short', good.subarray(0, 20));
    put('cut', good.subarray(0, 40));
    put('tag', changed(3));
    put('version', changed(13));
    put('prefix', changed(20));
    put('metadata', changed(35));
    const result = fspl.run(['queue-process', '-q', 'q', 'echo', '--', 'ran']);
    expect(result).toMatchObject({ status: 0, stdout: 'ran\n' });
    for (const sentence of [
      'fspl-empty.fspl: it is empty; it was stepped over',
      'fspl-short.fspl: it ends after 20 of the 30 bytes of its prefix',
      'fspl-cut.fspl: it ends after 10 of the',
      'fspl-tag.fspl: it does not begin with *FILESPOOLER',
      'fspl-version.fspl: it has format version',
      'fspl-prefix.fspl: the checksum of its prefix is wrong',
      'fspl-metadata.fspl: the checksum of its metadata is wrong',
    ]) {
      expect(result.stderr).toContain(sentence);
    }
    expect(fspl.jobs().length).toBe(7);
  });

  it('says which job a queue waits for', () => {
    const fspl = open();
    fspl.sh(
      'for n in 1 2 3 4; do fspl prepare -s s > $n; done; cp 1 q/jobs/fspl-1.fspl; cp 3 q/jobs/fspl-3.fspl; cp 4 q/jobs/fspl-4.fspl',
    );
    const result = fspl.run(['queue-process', '-q', 'q', 'printenv', '--', 'FSPL_SEQ']);
    expect(result).toMatchObject({ status: 0, stdout: '1\n' });
    expect(result.stderr).toContain('q: job 2 is missing; 2 later jobs wait behind it, the first is job 3');
  });

  it('steps over pipes, sockets, devices and directories named like jobs', () => {
    const fspl = open();
    const made =
      fspl.sh(`cd q/jobs && mkfifo fspl-fifo.fspl && mkdir fspl-directory.fspl && ln -s /dev/zero fspl-device.fspl &&
      ln -s nowhere fspl-dangling.fspl && ln -s fspl-fifo.fspl fspl-to-fifo.fspl`);
    expect(made.status).toBe(0);
    for (const command of [
      ['queue-ls', '-q', 'q'],
      ['queue-process', '-q', 'q', 'true'],
    ]) {
      const result = fspl.run(command);
      expect(result.status).toBe(0);
      for (const [name, why] of [
        ['fifo', 'it is a named pipe, not a job file'],
        ['directory', 'it is a directory, not a job file'],
        ['device', 'it is a device, not a job file'],
        ['to-fifo', 'it is a named pipe, not a job file'],
        ['dangling', 'no such file or directory'],
      ]) {
        expect(result.stderr).toContain(`q/jobs/fspl-${name}.fspl: ${why}; it was stepped over`);
      }
    }
  });

  it('keeps a job whose decoder failed, although the command was content', () => {
    const fspl = open();
    fspl.sh('echo payload | fspl prepare -s s -i - | fspl queue-write -q q');
    const result = fspl.run(['queue-process', '-q', 'q', '-d', 'cat; exit 3', 'cat']);
    expect(result).toMatchObject({ status: 1, stdout: 'payload\n' });
    expect(result.stderr).toContain('the decoder ended with exit code 3');
    expect(fspl.jobs().length).toBe(1);
  });

  it('waits for its turn at the sequence file', async () => {
    const fspl = open();
    const result = fspl.sh(
      'for n in 1 2 3 4 5 6 7 8 9 10 11 12; do fspl prepare -s s | fspl queue-write -q q & done; wait; fspl queue-process -q q printenv -- FSPL_SEQ',
    );
    expect(result.stdout.trim().split('\n').map(Number)).toEqual(
      Array.from({ length: 12 }, (_, at) => at + 1),
    );
    await eventually(() => fspl.jobs().length === 0, 'an empty queue');
  });

  it('adds to a directory that it may write but not open, and says what that means', () => {
    if (process.getuid?.() === 0) return; // root may open everything
    const fspl = open();
    chmodSync(join(fspl.dir, 'q/jobs'), 0o333);
    const result = fspl.sh('fspl prepare -s s | fspl queue-write -q q');
    chmodSync(join(fspl.dir, 'q/jobs'), 0o777);
    expect(result.status).toBe(0);
    expect(result.stderr).toContain('a power cut now could lose the job');
  });
});

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}

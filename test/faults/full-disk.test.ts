/** A disk that is full to the last block: what cannot be done is said, nothing is half done, nothing is lost. */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useTemporary } from '../support/temporary.ts';
import { type Ended, OURS, run, runWell } from './support/commands.ts';
import { fillDisk, mountSmall } from './support/disks.ts';
import { lookInto } from './support/job-files.ts';
import { lacking } from './support/needs.ts';

const DISK_MIB = 8;
const JOBS = [1, 2, 3];

const reason = lacking({ tools: ['mount', 'umount', 'mkfs.ext4', 'sh'], mounts: true });
const temporary = useTemporary();

describe.skipIf(reason !== undefined)(`a full disk${reason === undefined ? '' : ` (${reason})`}`, () => {
  let disk = '';
  let queue = '';
  let sender = '';
  let history = '';
  let takeAway = async () => {};

  beforeEach(() => {
    disk = temporary.path('disk');
    takeAway = mountSmall(temporary.path(), disk, DISK_MIB);
    queue = `${disk}/queue`;
    sender = `${disk}/sender`;
    history = temporary.path('history');
    runWell(OURS.path, ['queue-init', '-q', queue]);
    for (const _ of JOBS) runWell(OURS.path, ['queue-write', '-q', queue], prepared());
  });

  afterEach(() => takeAway());

  function prepared(payload = 'payload\n'): Buffer {
    const { status, stdout, stderr } = run(OURS.path, ['prepare', '-s', sender, '-i', '-'], payload);
    expect(status, stderr).toBe(0);
    return stdout;
  }

  const processAll = () =>
    run(OURS.path, ['queue-process', '-q', queue, 'sh', '--', '-c', `echo "$FSPL_SEQ" >> ${history}`]);

  it('queue-write: refused, and nothing half is there', () => {
    const packet = prepared('x'.repeat(100_000));
    const before = lookInto(queue);
    fillDisk(`${disk}/ballast`);
    refused(run(OURS.path, ['queue-write', '-q', queue], packet));
    expect(lookInto(queue)).toEqual(before);
    rmSync(`${disk}/ballast`);
    runWell(OURS.path, ['queue-write', '-q', queue], packet);
    expect(processAll().status).toBe(0);
    expect(ran()).toEqual([...JOBS, 4]);
  });

  it('prepare: no number is given out that could be given out again', () => {
    fillDisk(`${disk}/ballast`);
    refused(run('sh', ['-c', '"$0" prepare -s "$1" > "$2/jobs/fspl-a.fspl"', OURS.path, sender, queue]));
    expect(readFileSync(`${queue}/jobs/fspl-a.fspl`)).toHaveLength(0);
    rmSync(`${disk}/ballast`);
    rmSync(`${queue}/jobs/fspl-a.fspl`);
    runWell(OURS.path, ['queue-write', '-q', queue], prepared());
    expect(processAll().status).toBe(0);
    expect(ran()).toEqual([...JOBS, 4]);
  });

  it('queue-process: a job whose end could not be noted is not begun', () => {
    fillDisk(`${disk}/ballast`);
    refused(processAll());
    expect(existsSync(history)).toBe(false);
    expect(lookInto(queue)).toMatchObject({ next: 1, damaged: [], strange: [] });
    rmSync(`${disk}/ballast`);
    expect(processAll().status).toBe(0);
    expect(ran()).toEqual(JOBS);
    expect(lookInto(queue)).toMatchObject({ next: 4, jobs: [], temporary: [] });
  });

  it('queue-process: a disk that fills up while a job runs', () => {
    const filling = `cat "$0" /dev/zero > ${disk}/ballast 2>/dev/null; echo "$FSPL_SEQ" >> ${history}`;
    const result = run(OURS.path, ['queue-process', '-q', queue, 'sh', '--', '-c', filling, history]);
    expect([0, 1]).toContain(result.status);
    if (result.status === 1) refused(result);
    rmSync(`${disk}/ballast`);
    expect(processAll().status).toBe(0);
    expect([...new Set(ran())]).toEqual(JOBS);
    expect(lookInto(queue)).toMatchObject({ next: 4, jobs: [] });
  });

  it('queue-init and queue-set-next: refused, the number stays readable', () => {
    fillDisk(`${disk}/ballast`);
    refused(run(OURS.path, ['queue-init', '-q', `${disk}/other`]));
    refused(run(OURS.path, ['queue-set-next', '-q', queue, '9']));
    expect(lookInto(queue).next).toBe(1);
    rmSync(`${disk}/ballast`);
    runWell(OURS.path, ['queue-set-next', '-q', queue, '2']);
    expect(lookInto(queue).next).toBe(2);
  });

  const ran = () => readFileSync(history, 'utf8').trim().split('\n').map(Number);
});

function refused({ status, stderr }: Ended): void {
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/^Error: .*(no space|full)/im);
  expect(stderr).not.toMatch(/^\s+at |undefined/m);
}

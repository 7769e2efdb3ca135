/** A queue of fsq on a disk that is full to the last block: what cannot be done is said, and nothing is lost. */

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useTemporary } from '../support/temporary.ts';
import { run, runWell } from './support/commands.ts';
import { fillDisk, mountSmall } from './support/disks.ts';
import { lacking } from './support/needs.ts';

const FSQ = fileURLToPath(new URL('../../dist/bin/fsq', import.meta.url));
const DISK_MIB = 8;
const TRY_AGAIN = 111;
const MORE_THAN_A_BLOCK = 'x'.repeat(100_000);

const reason = lacking({ tools: ['mount', 'umount', 'mkfs.ext4', 'sync'], mounts: true });
const temporary = useTemporary();

describe.skipIf(reason !== undefined)(`a full disk${reason === undefined ? '' : ` (${reason})`}`, () => {
  let disk = '';
  let takeAway = async () => {};

  beforeEach(() => {
    disk = temporary.path('disk');
    takeAway = mountSmall(temporary.path(), disk, DISK_MIB);
    runWell(FSQ, ['-r', disk, 'install', 'queue']);
    for (const name of ['1', '2']) runWell(FSQ, ['-r', disk, 'enqueue', 'queue', name], `content of ${name}`);
  });

  afterEach(() => takeAway());

  const room = (name: string) => readdirSync(`${disk}/queue/${name}`);
  const rooms = () => ['tmp', 'queue', 'done', 'fail'].map((name) => room(name).length);
  const scan = (script: string) => run(FSQ, ['-r', disk, 'scan', 'queue', 'sh', '-c', script]);

  it('enqueue: refused, and nothing half is there', () => {
    fillDisk(`${disk}/ballast`);
    const { status, stderr } = run(FSQ, ['-r', disk, 'enqueue', 'queue', '3'], MORE_THAN_A_BLOCK);
    expect(stderr).toMatch(/^fsq: .*no space/i);
    expect(status).toBe(TRY_AGAIN);
    expect(rooms()).toEqual([0, 2, 0, 0]);
    rmSync(`${disk}/ballast`);
    runWell(FSQ, ['-r', disk, 'enqueue', 'queue', '3'], MORE_THAN_A_BLOCK);
    expect(rooms()).toEqual([0, 3, 0, 0]);
  });

  it('scan: what runs when the disk fills up is done, or waits', () => {
    const ended = scan(`cat /dev/zero > ${disk}/ballast 2> /dev/null; echo ran >> ${temporary.path('ran')}`);
    if (ended.status !== 0) expect(ended.stderr).toMatch(/no space/i);
    const [, waiting = 0, done = 0, failed] = rooms();
    expect([waiting + done, failed]).toEqual([2, 0]);
    rmSync(`${disk}/ballast`);
    expect(scan(`cat >> ${temporary.path('ran')}`).status).toBe(0);
    expect(rooms()).toEqual([0, 0, 2, 0]);
    expect(readFileSync(temporary.path('ran'), 'utf8')).toMatch(/^ran/);
  });
});

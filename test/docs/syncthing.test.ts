/** Jobs that Syncthing brings late, out of order, and again: the real program, two of it. */

import { copyFileSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lacking } from '../faults/support/needs.ts';
import { eventually } from '../support/fspl.ts';
import { intrayCli } from '../support/intray-cli.ts';
import { startSyncthings } from '../support/syncthing.ts';

const reason = lacking({ tools: ['syncthing'] });
const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

describe.skipIf(reason !== undefined)(`Syncthing${reason === undefined ? '' : ` (${reason})`}`, () => {
  it('may bring jobs late, out of order and again: each runs once, in its turn', async () => {
    const cli = intrayCli();
    expect(cli.sh('fspl queue-init --append-only -q field && fspl queue-init -q readings').status).toBe(0);
    for (const n of [1, 2, 3]) {
      expect(cli.sh(`echo ${n} | fspl prepare -s seq -i - > packet${n}`).status).toBe(0);
    }
    const sent = join(cli.dir, 'field/jobs');
    const there = join(cli.dir, 'readings/jobs');
    mkdirSync(join(cli.dir, 'old'));
    const syncthings = await startSyncthings(join(cli.dir, 'syncthing'), [sent, there]);
    endings.push(() => syncthings.stop());
    const name = (n: number) => `fspl-${n}.fspl`;
    const send = (n: number) => {
      copyFileSync(join(cli.dir, `packet${n}`), join(sent, `.packet${n}`));
      renameSync(join(sent, `.packet${n}`), join(sent, name(n)));
    };
    const jobsAt = (path: string) =>
      readdirSync(path)
        .filter((file) => /^fspl-.*\.fspl$/.test(file))
        .sort();
    const process = () => cli.run(['fspl', 'queue-process', '-q', 'readings', 'cat']);

    send(3);
    send(2);
    await eventually(() => jobsAt(there).length === 2, 'jobs 2 and 3');
    expect(process()).toMatchObject({ stdout: '', stderr: expect.stringContaining('job 1 is missing') });
    send(1);
    await eventually(() => jobsAt(there).length === 3, 'job 1');
    expect(process()).toMatchObject({ status: 0, stdout: '1\n2\n3\n' });
    await eventually(() => jobsAt(sent).length === 0, 'the removals');

    // It comes once more under its own name, and under another.
    send(2);
    copyFileSync(join(cli.dir, 'packet3'), join(sent, 'fspl-again.fspl'));
    await eventually(() => jobsAt(there).length === 2, 'jobs that are past');
    expect(process()).toMatchObject({ status: 0, stdout: '' });
  });
});

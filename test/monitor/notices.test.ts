/** `intray monitor --on-fail`: whoever is to be told is told of each unit of work that has failed. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { intray } from '../../src/cli/intray/main.ts';
import { runMonitor } from '../../src/monitor/monitor.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { makeRoot, unitText } from '../support/roots.ts';
import { listening } from '../support/spoken.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const CONFIG = [`job end :: sh -c 'echo said; exit "$1"' sh {CODE}`];
const makeUnits = async (codes: Readonly<Record<string, string>>) => {
  const root = await makeRoot(temporary.path('root'), CONFIG);
  for (const [name, CODE] of Object.entries(codes)) root.put('wait-q', name, unitText({ CODE }));
  return root;
};

describe('intray monitor --on-fail', () => {
  it('tells of units that fail, with their exit code and what they said, and of no others', async () => {
    const root = await makeUnits({ well: '0', bad: '7' });
    const told = temporary.path('told');
    const { machine } = listening();
    const line = `cat >> ${told}; echo >> ${told}`;
    expect(await intray(machine, ['monitor', root.path, '--once', '--on-fail', line])).toBe(5);
    const notices = readFileSync(told, 'utf8').trim().split('\n');
    expect(notices.map((text) => JSON.parse(text).data)).toMatchObject([
      {
        queue: root.path,
        job: 'bad',
        attempt: 1,
        reason: 'exit code 7',
        exitCode: 7,
        output: expect.stringMatching(/\nsaid\n$/),
      },
    ]);
    expect(existsSync(temporary.path('.root.notices/jobs'))).toBe(true);
    expect(root.names('error-q')).toEqual(['bad']);
  });
});

describe('a Monitor', () => {
  it('tells of a unit that a dead one has left half-run, before it is moved', async () => {
    const root = await makeUnits({});
    const status = '\n==== STATUS\nrunning: end, started 2026-11-21T03:00:00Z          \n';
    root.put('currently-executing', 'half', `${unitText({ CODE: '0' })}${status}`);
    const told: object[] = [];
    const refusal = new Error('nobody can be told');
    const onFailing = async () => Promise.reject(refusal);
    await expect(runMonitor(realMachine, root.path, { once: true, onFailing })).rejects.toBe(refusal);
    await runMonitor(realMachine, root.path, { once: true, onFailing: async (unit) => void told.push(unit) });
    expect(told).toEqual([
      {
        name: 'half',
        path: join(root.path, 'currently-executing/half'),
        reason: 'its Monitor ended while it ran, and nobody knows how far it came',
      },
    ]);
    expect(root.names('fail-q')).toEqual(['half']);
  });
});

import { describe, expect, it } from 'vitest';
import { LAYOUTS } from '../../src/open/layouts.ts';
import { QUESTIONS } from '../../src/queue/layout.ts';
import { intrayCli } from '../support/intray-cli.ts';

describe('intray layouts', () => {
  it('says what each can do, side by side', () => {
    const { status, stdout } = intrayCli().run(['layouts']);
    expect(status).toBe(0);
    const [head = '', ...rows] = stdout.trimEnd().split('\n');
    expect(head.trim().split(/ +/)).toEqual(['WHAT', ...LAYOUTS.map(({ name }) => name.toUpperCase())]);
    expect(rows.map((row) => row.split(' ')[0])).toEqual(Object.keys(QUESTIONS));
  });

  it('says of one how, or why not', () => {
    const { stdout } = intrayCli().run(['layouts', 'filespooler']);
    expect(stdout).toMatch(/^lanes +yes +--lane;/m);
  });

  it('in JSON says all', () => {
    const { stdout } = intrayCli().run(['layouts', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      layouts: LAYOUTS.map(({ name, title, capabilities }) => ({ name, title, capabilities })),
    });
  });

  it('knows no other', () => {
    const { status, stderr } = intrayCli().run(['layouts', 'x']);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('there is no layout "x"; there are: filespooler'),
    });
  });
});

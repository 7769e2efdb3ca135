/** `intray status --html`: a page that stands alone, seen in a real browser. */

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { intray } from '../../src/cli/intray/main.ts';
import { lackingBrowser, withPage } from '../support/browser.ts';
import { addNamed, failNext, homeQueue } from '../support/home-queues.ts';
import { listening } from '../support/spoken.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const reason = lackingBrowser();
const file = () => temporary.path('page.html');

async function status(...argv: string[]) {
  const { machine, said } = listening();
  return { status: await intray(machine, ['status', ...argv]), ...said };
}

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(2)>',
  '"><svg onload=alert(3)>',
  "' onmouseover='alert(4)",
  '</td></table><style>body{display:none}</style>',
  '&lt;b&gt; &amp;',
];

describe('intray status --html', () => {
  it('replaces a file by a page, and ends as without', async () => {
    const queue = await homeQueue(temporary.path('q'));
    writeFileSync(file(), 'old');
    const before = statSync(file()).ino;
    await addNamed(queue, 'one');
    expect(await status('--html', file(), temporary.path('q'))).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(statSync(file()).ino).not.toBe(before);
    expect(readFileSync(file(), 'utf8')).toMatch(/^<!doctype html>\n[\s\S]*one[\s\S]*<\/html>\n$/);
    expect(readdirSync(temporary.path()).sort()).toEqual(['page.html', 'q']);
    await failNext(queue);
    expect((await status('--html', file(), temporary.path('q'))).status).toBe(5);
  });

  it('says on the page which queue cannot be looked at', async () => {
    await homeQueue(temporary.path('q'));
    const answer = await status('--html', file(), temporary.path('q'), temporary.path('none'));
    expect(answer.status).toBe(1);
    expect(answer.stderr).toContain('it is not a queue');
    expect(readFileSync(file(), 'utf8')).toMatch(/none<\/th><td[^>]*>[^<]*it is not a queue/);
  });

  it('is not JSON too', async () => {
    await homeQueue(temporary.path('q'));
    expect((await status('--json', '--html', file(), temporary.path('q'))).status).toBe(2);
  });
});

describe.skipIf(reason !== undefined)(
  `the page in a browser${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    it('shows hostile text as text, loads nothing and runs nothing', { timeout: 300_000 }, async () => {
      mkdirSync(temporary.path('queues'));
      const path = join(temporary.path('queues'), '<img src=x onerror=alert(6)>"\'&');
      const queue = await homeQueue(path);
      for (const text of HOSTILE) await addNamed(queue, text, { lane: text });
      await failNext(queue, HOSTILE.join(' '), 'hold');
      await status('--html', file(), temporary.path('queues'));
      await withPage(pathToFileURL(file()).href, async ({ page, complaints }) => {
        const text = await page.locator('body').innerText();
        for (const words of HOSTILE) expect(text).toContain(words);
        expect(await page.locator('h2').innerText()).toBe(path);
        expect(await page.locator('script, img, svg, link, body style').count()).toBe(0);
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        await page.setViewportSize({ width: 360, height: 700 });
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        expect(complaints).toEqual([]);
      });
    });
  },
);

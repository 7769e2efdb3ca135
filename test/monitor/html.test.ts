/** The posted status in a real browser: colours are colours, and whatever a job says is only text. */

import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runMonitor } from '../../src/monitor/monitor.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { lackingBrowser, withPage } from '../support/browser.ts';
import { makeRoot, unitText } from '../support/roots.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const reason = lackingBrowser();

/** Each would be seen: by a dialog, by a request, or in the text of the page. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src="http://127.0.0.1:9/x.png" onerror="alert(2)">',
  '"><svg onload=alert(3)>',
  "'; alert(4); '",
  '</pre></td></table><style>body{display:none}</style>',
  '&lt;b&gt; &amp;',
  'javascript:alert(5)',
];
const HOSTILE_NAME = `<img src=x onerror=alert(6)> "'&% \u202e #?`;

/** Of the browser, in which that code runs. */
type Styles = { getComputedStyle(element: unknown): { getPropertyValue(name: string): string } };

const CONFIG = [
  'status html :: status.html',
  'status text :: status.txt',
  String.raw`job colours :: printf '\033[31mred\033[0m \033[1;32mbold green\033[0m \033[38;2;255;128;0morange\033[0m \033[7mreverse\033[0m\n10%%\r100%%\nplain\n'`,
  `job echo :: printf '%s\\n\\033]8;;javascript:alert(7)\\033\\\\link\\033]8;;\\033\\\\\\n' {TEXT}`,
  'job fails :: false',
];

/** Pictures for people: INTRAY_SCREENSHOTS=DIR keeps them. */
const pictures = process.env.INTRAY_SCREENSHOTS;

describe.skipIf(reason !== undefined)(
  `the status in a browser${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    it('shows colours as colours and hostile text as text', { timeout: 300_000 }, async () => {
      const root = await makeRoot(temporary.path('a root'), CONFIG);
      root.put('wait-q', 'colours', unitText({ JOB: 'colours', 'CHANGE TICKET': 'CH-1042' }));
      for (const [index, TEXT] of HOSTILE.entries()) {
        root.put('wait-q', `hostile ${index}`, unitText({ JOB: 'echo', TEXT }));
      }
      root.put(
        'priority-q',
        HOSTILE_NAME,
        unitText({ JOB: 'echo', TEXT: HOSTILE.join(' '), [HOSTILE[0] ?? '']: 'x' }),
      );
      root.put('wait-q', 'fails', unitText({ JOB: 'fails' }));
      await runMonitor(realMachine, root.path, { once: true });
      root.put('wait-q', 'waits', unitText({ JOB: 'colours' }));
      const url = pathToFileURL(join(root.path, 'status.html')).href;
      await withPage(url, async ({ page, complaints }) => {
        const shoot = async (name: string) => {
          if (pictures === undefined) return;
          mkdirSync(pictures, { recursive: true });
          await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
        };
        await shoot('status');
        const names = await page.locator('td.name a').allTextContents();
        expect(names).toHaveLength(HOSTILE.length + 3);
        expect(names).toContain(HOSTILE_NAME.replace('\u202e', '\\u202e'));
        expect(await page.locator('section', { hasText: 'error-q' }).locator('td.error').innerText()).toMatch(
          /^error: exit code 1/,
        );
        expect(await page.locator('script, img, svg, body style').count()).toBe(0);

        await page.getByRole('link', { name: 'colours' }).click();
        await shoot('colours');
        const colour = (text: string, property: string) =>
          page
            .locator('.log span', { hasText: text })
            .evaluate(
              (element, property) =>
                (globalThis as unknown as Styles).getComputedStyle(element).getPropertyValue(property),
              property,
            );
        expect(await colour('red', 'color')).toBe('rgb(228, 96, 108)');
        expect(await colour('bold green', 'font-weight')).toBe('700');
        expect(await colour('orange', 'color')).toBe('rgb(255, 128, 0)');
        expect(await colour('reverse', 'background-color')).toBe('rgb(215, 218, 224)');
        expect(await page.locator('.log').innerText()).toContain(
          'red bold green orange reverse\n100%\nplain',
        );
        expect(await page.locator('.facts').last().innerText()).toContain('CHANGE TICKET\tCH-1042');
        await page.getByRole('link', { name: 'all queues' }).click();

        await page.getByRole('link', { name: HOSTILE_NAME.slice(0, 20) }).click();
        await shoot('hostile');
        for (const text of HOSTILE) expect(await page.locator('.log').innerText()).toContain(text);
        expect(await page.locator('.log').innerText()).toContain('\nlink');
        expect(await page.locator('h1').innerText()).toBe(HOSTILE_NAME.replace('\u202e', '\\u202e'));
        expect(await page.locator('script, img, svg, a:not([href="../status.html"])').count()).toBe(0);
        expect(complaints).toEqual([]);
      });
    });

    it('has a page for each unit that it shows, and no others', async () => {
      const root = await makeRoot(temporary.path('root'), [...CONFIG, 'status keeps :: 2']);
      for (const name of ['a', 'b', 'c', 'd']) root.put('wait-q', name, unitText({ JOB: 'colours' }));
      await runMonitor(realMachine, root.path, { once: true });
      const pages = readdirSync(join(root.path, 'status-pages'));
      expect(pages).toHaveLength(2);
      for (const page of pages) expect(page).toMatch(/^uow-\d+(-\d)?-[a-d]\.html$/);
    });
  },
);

/** Every page, light and dark, wide and as wide as a phone, as axe-core sees it. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpServer, Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { pause } from '../../src/spool/home/rooms.ts';
import { newLooks } from '../../src/web/site/looks.ts';
import { newSite, type Site } from '../../src/web/site/site.ts';
import { lackingBrowser, withPage } from '../support/browser.ts';
import { addNamed, claimFrom, failNext, homeQueue } from '../support/home-queues.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const reason = lackingBrowser();
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function served(): Promise<string> {
  const { http } = realMachine as Machine & Required<Pick<Machine, 'http'>>;
  const looks = newLooks(realMachine, [temporary.path('q')], {});
  const guard = { token: undefined, hosts: new Set<string>() };
  const site: Site = newSite(realMachine, looks, guard, { audit: temporary.path('audit'), fileBytes: 1000 });
  const limits = { requestMs: 10_000, connections: 64 };
  const address = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const server: HttpServer = await http.serve(address, limits, site.answer);
  ends.push(async () => {
    site.close();
    await server.close();
  });
  return `http://127.0.0.1:${server.port}/`;
}

/** A queue in which there is something of everything. Returns the addresses of its pages. */
async function everything(): Promise<string[]> {
  const path = temporary.path('q');
  const queue = await homeQueue(path);
  await addNamed(queue, 'bad', { lane: 'broken' });
  const failed = await failNext(queue, 'exit code 7', 'hold');
  await addNamed(queue, 'behind', { lane: 'broken' });
  await addNamed(queue, 'over');
  const session = await queue.join({ keepSucceeded: true });
  await (await claimFrom(session)).succeed();
  const running = await addNamed(queue, 'busy');
  await claimFrom(session);
  ends.push(async () => session.close());
  const later = await addNamed(queue, 'later', { notBefore: new Date(Date.now() + 3_600_000) });
  await queue.addAll(Array.from({ length: 120 }, (_, index) => ({ params: [`--number=${index}`] })));
  await pause(realMachine, path);
  const jobs = [failed, running, later].map((id) => `queues/q/jobs/${id}`);
  const rest = [
    '/add',
    '/retry-failed',
    '/charts',
    '?state=stuck',
    '?said=paused&state=failed',
    '/nothing',
  ].map((end) => `queues/q${end}`);
  return ['', 'queues/q', ...rest, ...jobs, `${jobs[0]}?payload=hex`, `${jobs[0]}/delete`];
}

async function offencesOn(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document)');
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`);
}

describe.skipIf(reason !== undefined)(`all pages${reason === undefined ? '' : ` (${reason})`}`, () => {
  it('can be read and used by everybody', { timeout: 300_000 }, async () => {
    const pages = await everything();
    const url = await served();
    // Light and dark differ in colours, wide and narrow in what there is: two of the four see all of it.
    for (const [colorScheme, width] of [
      ['light', 1100],
      ['dark', 360],
    ] as const) {
      const look = async ({ page }: { page: Page }) => {
        for (const path of pages) {
          await page.goto(`${url}${path}`);
          const seen = { path, colorScheme, width };
          expect({ ...seen, offences: await offencesOn(page) }).toEqual({ ...seen, offences: [] });
          const isAsWide = await page.evaluate('document.documentElement.scrollWidth <= innerWidth');
          expect({ ...seen, isAsWide }).toEqual({ ...seen, isAsWide: true });
        }
      };
      await withPage(url, look, { colorScheme, viewport: { width, height: 800 } });
    }
  });

  it('are left and entered by keys alone, and say where they are', { timeout: 300_000 }, async () => {
    await everything();
    const url = await served();
    await withPage(`${url}queues/q`, async ({ page }) => {
      const isSeen = `(() => { const { outlineStyle } = getComputedStyle(document.activeElement); return outlineStyle !== 'none'; })()`;
      const names = new Set<string>();
      for (let press = 0; press < 40; press++) {
        await page.keyboard.press('Tab');
        if (press > 0) expect(await page.evaluate(isSeen), `focus ${press}`).toBe(true);
        names.add(await page.evaluate<string>('document.activeElement.textContent.trim()'));
      }
      for (const name of ['To the content', 'Queues', 'Find', 'Resume', 'Add a job…'])
        expect([...names]).toContain(name);
    });
  });
});

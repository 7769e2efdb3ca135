/** `intray serve` as it is used: started by a person, seen in a real browser. */

import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { intray } from '../../src/cli/intray/main.ts';
import type { HttpServer, Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { newLooks } from '../../src/web/site/looks.ts';
import type { PostSettings } from '../../src/web/site/posts.ts';
import { newSite, type Site } from '../../src/web/site/site.ts';
import { lackingBrowser, withPage } from '../support/browser.ts';
import { addNamed, claimFrom, failNext, homeQueue } from '../support/home-queues.ts';
import { INTRAY_VARIANTS, intrayCli } from '../support/intray-cli.ts';
import { listening } from '../support/spoken.ts';
import { eventually, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const reason = lackingBrowser();
const q = () => temporary.path('queues/q');

const serving: { readonly site: Site; readonly server: HttpServer }[] = [];

afterEach(async () => {
  for (const { site, server } of serving.splice(0)) {
    site.close();
    await server.close();
  }
});

async function served(changes?: PostSettings): Promise<string> {
  const { http } = realMachine as Machine & Required<Pick<Machine, 'http'>>;
  const looks = newLooks(realMachine, [temporary.path('queues')], {});
  const site = newSite(realMachine, looks, { token: undefined, hosts: new Set(['localhost']) }, changes);
  const limits = { requestMs: 10_000, connections: 64 };
  const server = await http.serve({ kind: 'tcp', host: '127.0.0.1', port: 0 }, limits, site.answer);
  serving.push({ site, server });
  return `http://127.0.0.1:${server.port}/`;
}

async function homeQueueThere() {
  mkdirSync(temporary.path('queues'), { recursive: true });
  return homeQueue(q());
}

async function isAsWide(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth <= innerWidth');
}

describe.skipIf(reason !== undefined)(
  `the dashboard in a browser${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    it('is walked through by keys and links, also without JavaScript', { timeout: 300_000 }, async () => {
      const queue = await homeQueueThere();
      await addNamed(queue, 'bad');
      const failed = await failNext(queue);
      await queue.addAll(
        Array.from({ length: 150 }, (_, index) => ({ params: [`job${index}`], payload: '' })),
      );
      const walk = async ({ page, complaints }: { page: Page; complaints: string[] }) => {
        await page.keyboard.press('Tab');
        expect(await page.evaluate('document.activeElement.textContent')).toBe('To the content');
        await page.getByRole('link', { name: q() }).click();
        expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(q());
        expect(await page.getByRole('row').count()).toBe(101);
        await page.getByRole('link', { name: 'Next' }).click();
        expect(await page.getByRole('row').count()).toBe(52);
        await page.getByLabel('Text').fill(failed);
        await page.getByRole('button', { name: 'Find' }).click();
        await page.getByRole('link', { name: failed }).click();
        expect(await page.locator('.why').innerText()).toContain('It has failed');
        expect(await page.locator('.log').innerText()).toBe('it went wrong\n');
        await page.getByRole('link', { name: 'in hex' }).click();
        expect(await page.locator('.payload').innerText()).toContain('70 61 79');
        expect(complaints).toEqual([]);
      };
      const url = await served();
      await withPage(url, walk);
      await withPage(url, walk, { javaScriptEnabled: false, colorScheme: 'dark' });
    });

    it('follows what happens, and keeps the focus', { timeout: 300_000 }, async () => {
      const queue = await homeQueueThere();
      await addNamed(queue, 'one');
      await withPage(`${await served()}queues/q`, async ({ page, complaints }) => {
        await expect.poll(() => page.locator('#live-state').innerText()).toContain('Live');
        await page.getByRole('link', { name: /ready$/ }).focus();
        await addNamed(queue, 'two');
        await expect.poll(() => page.locator('#live').innerText(), { timeout: 30_000 }).toContain('two');
        expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(
          '/queues/q?state=ready',
        );
        const session = await queue.join();
        const claim = await claimFrom(session);
        await expect.poll(() => page.locator('td.running').count(), { timeout: 30_000 }).toBe(1);
        await claim.fail('no');
        await session.close();
        await expect.poll(() => page.locator('td.failed').count(), { timeout: 30_000 }).toBe(1);
        expect(complaints).toEqual([]);
      });
    });

    it('changes what it is told to, by keys, also without JavaScript', { timeout: 300_000 }, async () => {
      const queue = await homeQueueThere();
      const audit = temporary.path('audit');
      const url = await served({ audit, fileBytes: 1000 });
      const walk = async ({ page, complaints }: { page: Page; complaints: string[] }) => {
        const id = await addNamed(queue, 'one');
        await page.goto(`${url}queues/q/jobs/${id}`);
        await page.getByRole('button', { name: 'Hold' }).press('Enter');
        expect(await page.getByRole('status').innerText()).toBe('The job is held.');
        await page.getByRole('button', { name: 'Release' }).press('Enter');
        expect(await page.getByRole('status').innerText()).toBe('The job is released.');
        await page.getByRole('link', { name: 'Delete' }).press('Enter');
        await page.getByRole('link', { name: 'Leave it' }).press('Enter');
        await page.getByRole('link', { name: 'Delete' }).press('Enter');
        await page.getByRole('button', { name: 'Delete it' }).press('Enter');
        expect(await page.getByRole('status').innerText()).toBe('The job is deleted.');
        await page.getByRole('link', { name: 'Add a job' }).press('Enter');
        await page.getByLabel('Parameters').fill('to-be-seen');
        await page
          .getByLabel('Payload')
          .setInputFiles({ name: 'x', mimeType: 'a/b', buffer: Buffer.from('hello') });
        await page.getByRole('button', { name: 'Add the job' }).press('Enter');
        expect(await page.getByRole('status').innerText()).toBe('The job is added.');
        expect(await page.locator('.payload').innerText()).toBe('hello');
        await failNext(queue);
        const again = page.getByRole('link', { name: 'Run failed jobs again' });
        // A page may be a second old, and one without JavaScript stays so.
        await eventually(async () => {
          await page.goto(`${url}queues/q`);
          expect(await again.count()).toBe(1);
        });
        await again.press('Enter');
        await page.getByRole('button', { name: 'Run again' }).press('Enter');
        expect(await page.getByRole('status').innerText()).toBe('1 failed job to be run again.');
        await page.getByRole('button', { name: 'Pause' }).press('Enter');
        await page.getByRole('button', { name: 'Resume' }).press('Enter');
        // The page of the job may have asked for news of it when it was just deleted.
        expect(complaints.filter((words) => !words.includes('404'))).toEqual([]);
        const session = await queue.join();
        await (await claimFrom(session)).succeed();
        await session.close();
      };
      await withPage(url, walk);
      await withPage(url, walk, { javaScriptEnabled: false });
    });

    it('shows hostile text as text, at the width of a phone too', { timeout: 300_000 }, async () => {
      const queue = await homeQueueThere();
      const nasty = '"><img src=x onerror=alert(1)><script>alert(2)</script>';
      const id = await addNamed(queue, nasty, {
        lane: nasty.repeat(3),
        payload: `${nasty}\x1b[31m`,
        env: { x: nasty },
      });
      const url = await served();
      for (const path of ['', 'queues/q', `queues/q/jobs/${id}`]) {
        await withPage(
          `${url}${path}`,
          async ({ page, complaints }) => {
            if (path !== '') expect(await page.locator('main').innerText()).toContain(nasty);
            expect(await page.locator('img, svg, body script').count()).toBe(0);
            expect([path, await isAsWide(page)]).toEqual([path, true]);
            expect(complaints).toEqual([]);
          },
          { viewport: { width: 360, height: 700 } },
        );
      }
    });
  },
);

describe.each(INTRAY_VARIANTS)('intray serve as %s', (_name, program, first) => {
  it('says where it is, answers, and ends when it is told to while somebody watches', async () => {
    const { run, start, dir } = intrayCli(program, first);
    run(['init', 'q']);
    const child = start(['serve', 'q', '--listen', '127.0.0.1:0']);
    let said = '';
    child.stdout?.on('data', (piece) => {
      said += piece;
    });
    const url = await eventually(() => {
      expect(said).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
      return said.trim();
    });
    const page = await (await fetch(url)).text();
    expect(page).toContain('href="/queues/q">q</a>');
    const events = await fetch(`${url}events`);
    const reader = events.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('retry: 2000');
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
    await reader?.cancel().catch(() => {});
    expect(dir).not.toBe('');
  }, 30_000);
});

describe('intray serve', () => {
  async function serve(...argv: string[]) {
    const { machine, said } = listening();
    return { status: await intray(machine, ['serve', ...argv]), ...said };
  }

  it('is reached by others with a token only', async () => {
    await homeQueueThere();
    for (const address of ['0.0.0.0:0', '[::]:0', '192.0.2.1:8177', 'example.org:80']) {
      const { status, stderr } = await serve(q(), '--listen', address);
      expect([status, stderr]).toEqual([
        1,
        expect.stringContaining('can be reached by others: name a --token-file'),
      ]);
    }
    const file = join(temporary.path(), 'token');
    writeFileSync(file, 'short\n');
    expect((await serve(q(), '--token-file', file)).stderr).toContain(
      'at least 8 printable ASCII characters',
    );
  });

  it('does not begin for a path that has no queue, or an address that is none', async () => {
    expect((await serve(temporary.path('none'))).stderr).toContain('not a queue');
    for (const address of ['8177', 'localhost', '127.0.0.1:70000', '::1:8177', 'a b:1', 'unix:x'])
      expect((await serve('.', '--listen', address)).status).toBe(2);
  });
});

/**
 * The dashboard over 100,000 jobs that four workers work, one lane of which fails: how soon a page is painted, and how
 * soon it shows what happens. What was measured is said; only what bad luck alone cannot explain is a failure.
 */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lackingBrowser, withPage } from '../support/browser.ts';
import { fillQueue, putDelayed } from '../support/busy-queue.ts';
import { INTRAY, intrayCli } from '../support/intray-cli.ts';
import { eventually, useTemporary } from '../support/temporary.ts';

useTemporary();
const reason = lackingBrowser();

const JOBS = 100_000;
const WORKERS = 4;
const ROUNDS = 10;
const LATEST_MS = 5000;
const GIVE_UP_MS = 30_000;
const HOUR_MS = 3_600_000;

/** Those of the lane `broken` fail. */
const COMMAND = ['sh', '-c', 'sleep 0.1; [ "$INTRAY_LANE" != broken ]'];

let path = '';
const started: ChildProcess[] = [];

beforeEach(() => {
  // So many files take a disk that others use a minute to be made and removed.
  path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'intray-live-'));
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(path, { recursive: true });
});

/** Milliseconds from when the page was asked for. */
async function firstPaintOf(page: Page): Promise<number> {
  return eventually(async () => {
    const entry = 'performance.getEntriesByName("first-contentful-paint")[0]?.startTime';
    const paintedMs = await page.evaluate<number | undefined>(entry);
    if (paintedMs === undefined) throw new Error('nothing was painted');
    return paintedMs;
  });
}

describe.skipIf(reason !== undefined)(
  `a dashboard over ${JOBS} jobs${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    it('is painted at once, and follows at once', { timeout: 300_000 }, async () => {
      fillQueue(path, JOBS);
      const { start } = intrayCli(INTRAY);
      const work = ['work', path, '--watch', '--', ...COMMAND];
      for (let worker = 0; worker < WORKERS; worker++) started.push(start(work));
      const server = start(['serve', path, '--listen', '127.0.0.1:0']);
      started.push(server);
      let said = '';
      server.stdout?.on('data', (piece) => {
        said += piece;
      });
      const url = await eventually(() => {
        expect(said).toMatch(/^http:.*\n$/);
        return said.trim();
      });
      const [name = ''] = path.split('/').slice(-1);
      await withPage(`${url}queues/${name}`, async ({ page, complaints }) => {
        const paintMs = await firstPaintOf(page);
        await expect.poll(() => page.locator('#live-state').innerText()).toContain('Live');
        const lags: number[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          putDelayed(path, Date.now() + HOUR_MS);
          const putMs = performance.now();
          await page.getByRole('link', { name: `${round + 1} delayed` }).waitFor({ timeout: GIVE_UP_MS });
          lags.push(performance.now() - putMs);
        }
        lags.sort((a, b) => a - b);
        console.info(`${JOBS} jobs: first paint ${Math.round(paintMs)} ms, lag ${lags.map(Math.round)} ms`);
        expect(paintMs).toBeLessThan(LATEST_MS);
        expect(lags[ROUNDS / 2]).toBeLessThan(LATEST_MS);
        // They have gone on meanwhile, and one lane has failed.
        expect(await page.locator('#live').innerText()).toMatch(/1 failed/);
        expect(await page.locator('#live').innerText()).toMatch(/[1-4] running/);
        expect(complaints).toEqual([]);
      });
    });
  },
);

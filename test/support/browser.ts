/** A real Chromium without a window: what a page looks like to a reader. */

import { spawnSync } from 'node:child_process';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { lacking } from '../faults/support/needs.ts';

/** Why there is no browser here, or undefined. */
export function lackingBrowser(): string | undefined {
  return lacking({ tools: ['chromium'] });
}

export type OpenPage = {
  readonly page: Page;
  /** What the page said in its console, and tried and was not allowed. */
  readonly complaints: string[];
};

/** Opens a page for as long as `look` takes. Whatever it asks for that is no file, or not of its own server, is a complaint. */
export async function withPage(
  url: string,
  look: (open: OpenPage) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const executablePath = spawnSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).stdout.trim();
  // As root, which is what a container runs tests as, Chromium's own sandbox cannot be.
  const browser: Browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({
      viewport: { width: 1100, height: 900 },
      colorScheme: 'light',
      ...options,
    });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('dialog', async (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on('request', (request) => {
      const own = url.startsWith('file:') ? 'file:' : new URL(url).origin;
      if (!request.url().startsWith(own)) complaints.push(`request: ${request.url()}`);
    });
    await page.goto(url);
    await look({ page, complaints });
  } finally {
    await browser.close();
  }
}

/** What the documentation points to is there: files, pictures, and headings of pages. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const PAGES = spawnSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .stdout.split('\n')
  .filter((path) => path !== '' && !path.startsWith('test/fixtures/'));

/** The text of a page without its code, in which brackets mean something else. */
function prose(page: string): string {
  return readFileSync(join(root, page), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}

/** As GitHub makes the anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

function anchorsOf(page: string): Set<string> {
  const text = readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.matchAll(/^#{1,6} (.*)$/gm)) {
    const plain = anchorOf(heading);
    let anchor = plain;
    for (let number = 1; anchors.has(anchor); number++) anchor = `${plain}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
}

type Link = { readonly page: string; readonly target: string };

function linksOf(page: string): Link[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)]
    .map(([, target = '']) => ({ page, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** What is wrong with it, or undefined. */
function wrongWith({ page, target }: Link): string | undefined {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(root, file))) return `${page}: ${target}: there is no ${file}`;
  if (anchor === undefined) return undefined;
  return anchorsOf(file).has(anchor) ? undefined : `${page}: ${target}: ${file} has no such heading`;
}

describe('the documentation', () => {
  const links = PAGES.flatMap(linksOf);

  it('has links that lead somewhere', () => {
    expect(links.map(wrongWith).filter((wrong) => wrong !== undefined)).toEqual([]);
    expect(links.length).toBeGreaterThan(100);
  });

  it('can be found, page by page, from the README', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      for (const { target } of linksOf(page)) {
        const path = normalize(join(dirname(page), target.split('#')[0] ?? '')).replace(/\/$/, '');
        const pages = PAGES.includes(path) ? [path] : PAGES.filter((other) => dirname(other) === path);
        for (const found of target.startsWith('#') ? [] : pages) reached.add(found);
      }
    }
    expect(PAGES.filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([]);
  });

  it.each([
    ['a file that is not there', { page: 'README.md', target: 'docs/nowhere.md' }],
    ['a heading that is not there', { page: 'README.md', target: 'docs/doctor.md#nothing' }],
  ])('would be told of %s', (_, link) => {
    expect(wrongWith(link)).toContain(link.target);
  });
});

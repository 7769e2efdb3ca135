/** What docs/operating.md tells people to type works as it says, and docs/reference.md has every field. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { OPERATING } from '../../src/cli/intray/operating-commands.ts';
import { fsplFor, VARIANTS } from '../support/fspl.ts';
import { expectedText } from '../support/guide-text.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/operating.md'), 'utf8');
const steps = [...page.matchAll(/^```(sh|text)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}));

describe.each(VARIANTS)('with the commands as %s', (_name, program, first) => {
  it('the guide does what it says', () => {
    const { dir, sh } = fsplFor(program, first);
    let expected = 0;
    steps.forEach(({ language, text }, index) => {
      if (language !== 'sh') return;
      const result = sh(`set -e\n${text}`, { HOME: dir });
      expect(result.status, `${text}\n${result.stdout}${result.stderr}`).toBe(0);
      const next = steps[index + 1];
      if (next?.language !== 'text') return;
      expect(result.stdout, text).toMatch(expectedText(next.text));
      expected += 1;
    });
    expect(expected).toBe(steps.filter(({ language }) => language === 'text').length);
    expect(expected).toBeGreaterThanOrEqual(15);
  }, 300_000);
});

describe('the pages', () => {
  it('name every command of operators', () => {
    for (const { name } of OPERATING) expect(page).toContain(`intray ${name} `);
  });

  it('describe the JSON of each that has some', () => {
    const reference = readFileSync(join(root, 'docs/reference.md'), 'utf8');
    for (const { name, options } of OPERATING) {
      if ('json' in options) expect(reference).toContain(`## \`intray ${name} --json\``);
    }
  });
});

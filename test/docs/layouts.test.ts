/** The tables of docs/layouts.md say what the layouts say of themselves. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LAYOUTS } from '../../src/open/layouts.ts';
import { type Capability, QUESTIONS } from '../../src/queue/layout.ts';

const page = readFileSync(new URL('../../docs/layouts.md', import.meta.url), 'utf8');
const capabilities = Object.keys(QUESTIONS) as Capability[];
const yesOrNo = (has: boolean) => (has ? 'yes' : '-');

/** The rows of the table below this heading, without its first two lines. */
function tableBelow(heading: string): string[] {
  const section = page.split(heading)[1]?.split(/^## /m)[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2);
}

describe('the page about layouts', () => {
  it('has them side by side', () => {
    expect(tableBelow('# Layouts\n')).toEqual(
      capabilities.map((capability) => {
        const question = QUESTIONS[capability];
        const cells = LAYOUTS.map((layout) => yesOrNo(layout.capabilities[capability].has));
        return `| ${capability}: ${question[0]?.toLowerCase()}${question.slice(1)} | ${cells.join(' | ')} |`;
      }),
    );
  });

  it.each(LAYOUTS.map((layout) => [layout.name, layout] as const))('says all of %s', (name, layout) => {
    expect(tableBelow(`## ${name}\n`)).toEqual(
      capabilities.map((capability) => {
        const { has, how } = layout.capabilities[capability];
        return `| ${capability} | ${yesOrNo(has)} | ${how} |`;
      }),
    );
  });
});

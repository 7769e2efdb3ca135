import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { command, flag } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/intray/commands.ts';
import { programOf } from '../../src/cli/intray/program.ts';
import { manPages } from '../../src/cli/man-page.ts';
import { lacking } from '../faults/support/needs.ts';

const program = programOf(COMMANDS);
const pages = manPages(program);
const reason = lacking({ tools: ['groff'] });

/** As a person sees it, without what makes it bold, and in one line. */
function seen(text: string): { text: string; complaints: string } {
  const { stdout, stderr } = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-P-cbou'], {
    input: text,
    encoding: 'utf8',
  });
  return { text: stdout.replace(/\s+/g, ' '), complaints: stderr };
}

describe('manual pages', () => {
  it('are there for the program and each of its commands', () => {
    expect(pages.map(({ file }) => file)).toEqual([
      'intray.1',
      ...COMMANDS.map(({ name }) => `intray-${name.replace(' ', '-')}.1`),
    ]);
  });

  describe.skipIf(reason !== undefined)(`through groff${reason === undefined ? '' : ` (${reason})`}`, () => {
    it.each(pages.map((page) => [page.file, page.text]))('%s is without a mistake', (_file, text) => {
      expect(seen(text).complaints).toBe('');
    });

    it('say all that a command takes, with the characters that one types', () => {
      for (const [index, { name, options, examples }] of COMMANDS.entries()) {
        const { text } = seen(pages[index + 1]?.text ?? '');
        for (const option of Object.keys(options))
          expect([name, text]).toEqual([name, expect.stringContaining(`--${option}`)]);
        for (const example of examples) expect(text).toContain(example.replace(/\s+/g, ' '));
      }
    });

    it('take nothing in a text for a request', () => {
      const hostile = command({
        name: 'odd',
        summary: '.so /etc/passwd',
        options: { loud: flag("'begins with a quote, has \\n and \\fB and ~^`-") },
        examples: ['.sh not a heading', "'another"],
        load: () => Promise.reject(new Error('never run')),
      });
      const [, page] = manPages({ ...program, commands: [hostile] });
      const { text, complaints } = seen(page?.text ?? '');
      expect(complaints).toBe('');
      expect(text).toContain('.so /etc/passwd');
      expect(text).toContain("'begins with a quote, has \\n and \\fB and ~^`-");
      expect(text).toContain(".sh not a heading 'another");
    });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ansiToHtml } from '../../src/html/ansi.ts';

const ESC = '\x1b';

describe('output of a terminal as HTML', () => {
  it.each([
    ['plain', 'plain'],
    [`${ESC}[31mred${ESC}[0m not`, '<span class="f-1">red</span> not'],
    [`${ESC}[1;92;44mloud${ESC}[m`, '<span class="bold f-10 b-4">loud</span>'],
    [`${ESC}[38;5;208morange`, '<span style="color:#ff8700">orange</span>'],
    [`${ESC}[38;5;3mnamed`, '<span class="f-3">named</span>'],
    [
      `${ESC}[48;2;1;2;3;4munderlined too`,
      '<span class="underline" style="background-color:#010203">underlined too</span>',
    ],
    [`${ESC}[38:2::1:2:3mcolons`, '<span style="color:#010203">colons</span>'],
    [`${ESC}[38:5:232mgrey`, '<span style="color:#080808">grey</span>'],
    [`${ESC}[7mreverse${ESC}[27m`, '<span class="f-paper b-ink">reverse</span>'],
    [`${ESC}[7;31mreverse`, '<span class="f-paper b-1">reverse</span>'],
    [`${ESC}[31mover\ntwo lines`, '<span class="f-1">over</span>\n<span class="f-1">two lines</span>'],
    [`${ESC}[4;9m${ESC}[24mstruck`, '<span class="struck">struck</span>'],
    ['10%\r55%\r100%\nnext\r\n', '100%\nnext\n'],
    [`${ESC}[2K${ESC}[1A${ESC}]0;title\x07${ESC}(B${ESC}=${ESC}[?25lshown`, 'shown'],
    [`${ESC}]8;;javascript:alert(1)${ESC}\\link${ESC}]8;;${ESC}\\`, 'link'],
    [`${ESC}[>4;2mkept`, 'kept'],
    ['bell\x07 tab\t \u202eback \udcff', 'bell\\x07 tab\t \\u202eback \\xff'],
    [`cut off ${ESC}[3`, 'cut off [3'],
  ])('%j', (text, html) => {
    expect(ansiToHtml(text)).toBe(html);
  });

  it('has no markup but its own, whatever comes', () => {
    const pieces = fc.constantFrom(
      '<script>',
      '"',
      "'",
      '&',
      '>',
      'x',
      ' ',
      '\r',
      '\n',
      ';',
      ':',
      '0',
      '31',
      '38',
      '5',
      'm',
      '[',
      ']',
      '\\',
      '\x07',
      ESC,
      `${ESC}[`,
      `${ESC}]8;;`,
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const html = ansiToHtml(parts.join(''));
        const bare = html.replace(
          /<span( class="[a-z0-9 -]+")?( style="[a-z-]+:#[0-9a-f]{6}(;[a-z-]+:#[0-9a-f]{6})?")?>|<\/span>/g,
          '',
        );
        expect(bare).not.toMatch(/[<>"']/);
        expect(bare.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
        expect(bare).not.toContain(ESC);
      }),
      { numRuns: 500 },
    );
  });

  it('is quick with very many colours', () => {
    const text = `${ESC}[31ma${ESC}[0m`.repeat(30_000);
    expect(ansiToHtml(text)).toHaveLength('<span class="f-1">a</span>'.length * 30_000);
  });
});

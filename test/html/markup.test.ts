import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html, markupText, trusted } from '../../src/html/markup.ts';

describe('markup', () => {
  it('escapes what is put into it, once', () => {
    const inner = html`<b title="${'"\'<&>'}">${'<script>'}</b>`;
    expect(markupText(html`<p>${inner}${undefined}${[1, 2n, 'x<y', inner]}</p>`)).toBe(
      '<p><b title="&quot;&#39;&lt;&amp;&gt;">&lt;script&gt;</b>12x&lt;y<b title="&quot;&#39;&lt;&amp;&gt;">&lt;script&gt;</b></p>',
    );
    expect(markupText(html`${trusted('<i>')}`)).toBe('<i>');
  });

  it('shows what would turn the direction of writing', () => {
    expect(markupText(html`${'a\u202eb\n\u0007\udcff'}`)).toBe('a\\u202eb\\n\\x07\\xff');
  });

  it('lets no text end an element or an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(markupText(html`${text}`)).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/);
      }),
    );
  });
});

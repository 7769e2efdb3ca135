/**
 * The command of a job type: words, parted by spaces, in which `{NAME}` stands for what the unit of work says under that
 * name. Quotes and backslashes keep spaces together, as in a shell; nothing else of a shell is there. What takes the place
 * of `{NAME}` is never looked at again: whatever it holds, it stays where it was put, in one argument. `{{` and `}}` are
 * braces.
 */

export type Template = readonly Word[];

/** Texts and names of items, which together are one argument. */
export type Word = readonly (string | { readonly item: string })[];

/** The words, or what is wrong with them. */
export function parseTemplate(text: string): Template | { readonly wrong: string } {
  const words = splitWords(text);
  if (words === undefined) return { wrong: `Expected every quote to be closed, got "${text}"` };
  if (words.length === 0) return { wrong: 'Expected a command' };
  const template: Word[] = [];
  for (const word of words) {
    const parts = splitWord(word);
    if (parts === undefined) {
      return { wrong: `Expected \`{NAME}\`, or \`{{\` and \`}}\` for braces, got "${word}"` };
    }
    template.push(parts);
  }
  return template;
}

/** The command for these items, or the names of those that are missing. */
export function fillTemplate(
  template: Template,
  items: ReadonlyMap<string, string>,
): readonly string[] | { readonly missing: readonly string[] } {
  const missing = new Set<string>();
  const words = template.map((word) =>
    word
      .map((part) => {
        if (typeof part === 'string') return part;
        const content = items.get(part.item);
        if (content === undefined) missing.add(part.item);
        return content ?? '';
      })
      .join(''),
  );
  return missing.size > 0 ? { missing: [...missing] } : words;
}

/** Undefined when a quote is not closed. */
function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  const pattern = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;
  let word: string | undefined;
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    const [all, single, double, escaped, plain] = match;
    at = match.index + all.length;
    const piece = single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? plain;
    if (piece !== undefined) {
      word = `${word ?? ''}${piece}`;
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (at < text.length) return undefined;
  return word === undefined ? words : [...words, word];
}

/** Undefined when braces do not fit. */
function splitWord(word: string): Word | undefined {
  const parts: (string | { readonly item: string })[] = [];
  let text = '';
  let at = 0;
  for (const match of word.matchAll(/\{\{|\}\}|\{([^{}]+)\}|[^{}]+/gy)) {
    const [all, item] = match;
    at = match.index + all.length;
    if (item === undefined) {
      text += all === '{{' ? '{' : all === '}}' ? '}' : all;
      continue;
    }
    if (text !== '') parts.push(text);
    text = '';
    parts.push({ item: item.trim() });
  }
  if (at < word.length) return undefined;
  return text === '' && parts.length > 0 ? parts : [...parts, text];
}

/**
 * Keys, from what a terminal sends. The Escape key is the beginning of the arrows' sequences too, so what it means is
 * known only when nothing follows it: whoever reads waits a moment, and then calls `rest`.
 */

export type Key =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'page-up'
  | 'page-down'
  | 'enter'
  | 'escape'
  | 'tab'
  | 'back-tab'
  | 'backspace'
  | 'ctrl-c'
  | 'ctrl-l'
  | 'ctrl-z'
  | { readonly character: string };

/** ECMA-48 and what xterm, the Linux console and rxvt make of it: CSI and SS3 with these endings. */
const SEQUENCES: Readonly<Record<string, Key>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'back-tab',
  '1~': 'home',
  '4~': 'end',
  '5~': 'page-up',
  '6~': 'page-down',
  '7~': 'home',
  '8~': 'end',
};

const CONTROLS: Readonly<Record<string, Key>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\x7f': 'backspace',
  '\x03': 'ctrl-c',
  '\x0c': 'ctrl-l',
  '\x1a': 'ctrl-z',
  '\x1b': 'escape',
};

/** A sequence from its beginning: CSI with parameters, or SS3. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const SEQUENCE = /^\x1b(?:\[([0-?]*)[ -/]*([@-~])|O([ -~]))/;
/** What may become one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const BEGUN = /^\x1b(?:\[[0-?]*[ -/]*|O)?$/;

export class KeyReader {
  #pending = '';

  /** Whether there is the beginning of something, or an Escape. */
  get waits(): boolean {
    return this.#pending !== '';
  }

  /** The keys that are whole. */
  read(text: string): Key[] {
    let left = this.#pending + text;
    this.#pending = '';
    const keys: Key[] = [];
    while (left !== '') {
      if (BEGUN.test(left)) {
        this.#pending = left;
        break;
      }
      const [key, length] = firstKey(left);
      if (key !== undefined) keys.push(key);
      left = left.slice(length);
    }
    return keys;
  }

  /** Nothing more has come. */
  rest(): Key[] {
    const begun = this.#pending !== '';
    this.#pending = '';
    return begun ? ['escape'] : [];
  }
}

/** A sequence that says nothing to us is passed over whole. */
function firstKey(text: string): readonly [key: Key | undefined, length: number] {
  const [whole, parameters = '', final = '', single = ''] = SEQUENCE.exec(text) ?? [];
  if (whole !== undefined) {
    const name = final === '~' ? `${parameters.split(';')[0]}~` : final + single;
    return [SEQUENCES[name], whole.length];
  }
  const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
  const control = CONTROLS[character];
  if (control !== undefined) return [control, character.length];
  return [character < ' ' ? undefined : { character }, character.length];
}

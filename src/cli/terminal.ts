/** What only a person at a terminal should see: colours, and a line that says how far we are. */

import { encodeBytes } from '../os/bytes.ts';
import { type Descriptor, type Machine, STDERR } from '../os/ports.ts';

export type Colours = {
  readonly good: Paint;
  readonly warning: Paint;
  readonly bad: Paint;
  readonly faint: Paint;
  readonly bold: Paint;
};

type Paint = (text: string) => string;

/** ECMA-48, "Select Graphic Rendition". */
const CODES: Record<keyof Colours, number> = { good: 32, warning: 33, bad: 31, faint: 2, bold: 1 };

/** Colours for what is written there; none in a file or pipe, with TERM=dumb, or with NO_COLOR (no-color.org). */
export async function coloursFor({ host }: Machine, descriptor: Descriptor): Promise<Colours> {
  const env = host.env();
  const wanted = (env.get('NO_COLOR') ?? '') === '' && env.get('TERM') !== 'dumb';
  const shown = wanted && (await host.isTerminal(descriptor));
  const paint = (name: keyof Colours): Paint =>
    shown ? (text) => `\x1b[${CODES[name]}m${text}\x1b[0m` : (text) => text;
  return {
    good: paint('good'),
    warning: paint('warning'),
    bad: paint('bad'),
    faint: paint('faint'),
    bold: paint('bold'),
  };
}

export type Progress = {
  /** Replaces what was said before. */
  say(text: string): Promise<void>;
  /** To be called before anything else is written to the terminal. */
  clear(): Promise<void>;
};

const CLEAR_LINE = '\r\x1b[K';

/** A line on standard error; nothing where that is no terminal. */
export async function progressFor({ files, host }: Machine): Promise<Progress> {
  const shown = host.env().get('TERM') !== 'dumb' && (await host.isTerminal(STDERR));
  const write = async (text: string) => {
    if (shown) await files.write(STDERR, encodeBytes(text));
  };
  return { say: (text) => write(`${CLEAR_LINE}${text}`), clear: () => write(CLEAR_LINE) };
}

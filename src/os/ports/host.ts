/** The host we run on, this process, and its terminal. */

import type { SignalName } from './processes.ts';
import type { Descriptor, Step } from './step.ts';

export interface Host {
  readonly name: string;
  readonly pid: number;
  /** Tells this run of the kernel from all others: processes with the same one see each other's locks. */
  readonly bootId: string;
  /** The environment this process was given. */
  env(): ReadonlyMap<string, string>;
  /** Calls `handler` on the signal until disposed. A signal that our parent set to be ignored stays so. */
  onSignal(signal: SignalName, handler: () => void): () => void;
  /** Whether we were started from a terminal and it is ours now: keys go to our process group. */
  inForeground(): Step<boolean>;
  /** Whether somebody looks at what is written there, rather than a file or a program. */
  isTerminal(descriptor: Descriptor): Step<boolean>;
  /** How many characters fit on a line of our terminal; undefined when standard output is none, or nobody knows. */
  terminalColumns?(): Step<number | undefined>;
  /** Takes the whole terminal; undefined when standard input or output is none. */
  openScreen?(listener: ScreenListener): Step<Screen | undefined>;
  /** Ends this process the way the signal would have, so that our parent sees it. */
  dieOf(signal: SignalName): void;
}

export type TerminalSize = { readonly columns: number; readonly rows: number };

/**
 * The whole terminal: an empty screen for what we write to standard output, without cursor, on which long lines do not
 * go on in the next; and keys as they are typed, Ctrl-C and Ctrl-Z too. Closing brings back what was there before, and so
 * does this process when it ends otherwise, short of kill -9.
 */
export interface Screen {
  /** Not while we are being stopped: what is written then is written over what others show. */
  readonly isOurs: boolean;
  size(): TerminalSize;
  /** Gives the terminal back and stops our process group, as Ctrl-Z does; when it goes on, the screen is ours again. */
  suspend(): void;
  close(): void;
}

export type ScreenListener = {
  /** What the terminal sent: one key or several, as escape sequences where keys have such. */
  readonly onInput: (text: string) => void;
  /** Nothing of what was drawn need be there any more: the size is another one, or we had been stopped. */
  readonly onRedraw: () => void;
  /** Nobody is there any more: the terminal was closed. */
  readonly onGone: () => void;
};

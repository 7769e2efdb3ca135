import { describe, expect, it } from 'vitest';
import { type Key, KeyReader } from '../../../src/cli/intray/top/keys.ts';

function keysOf(...chunks: string[]): Key[] {
  const reader = new KeyReader();
  return [...chunks.flatMap((chunk) => reader.read(chunk)), ...reader.rest()];
}

describe('keys', () => {
  it.each<[string, string, Key[]]>([
    ['letters', 'qé日', [{ character: 'q' }, { character: 'é' }, { character: '日' }]],
    ['the arrows', '\x1b[A\x1b[B\x1b[C\x1b[D', ['up', 'down', 'right', 'left']],
    ['the arrows in application mode', '\x1bOA\x1bOB', ['up', 'down']],
    [
      'Home and End as terminals send them',
      '\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~',
      ['home', 'end', 'home', 'end', 'home', 'end'],
    ],
    ['pages', '\x1b[5~\x1b[6~', ['page-up', 'page-down']],
    ['with modifiers, as without', '\x1b[1;5A', ['up']],
    [
      'Enter, Tab and the others',
      '\r\t\x1b[Z\x7f\b\x03\x1a\x0c',
      ['enter', 'tab', 'back-tab', 'backspace', 'backspace', 'ctrl-c', 'ctrl-z', 'ctrl-l'],
    ],
    ['Escape alone', '\x1b', ['escape']],
    ['Escape and a letter', '\x1bq', ['escape', { character: 'q' }]],
    ['what it does not know, as nothing', '\x1b[15~\x1b[200~\x01j', [{ character: 'j' }]],
  ])('%s', (_what, text, keys) => {
    expect(keysOf(text)).toEqual(keys);
  });

  it('are put together when they come in parts', () => {
    expect(keysOf('\x1b', '[', 'A')).toEqual(['up']);
    expect(keysOf('\x1b[1', ';5B')).toEqual(['down']);
  });

  it('that may go on are told as Escape only when nothing follows', () => {
    const reader = new KeyReader();
    expect(reader.read('\x1b')).toEqual([]);
    expect(reader.waits).toBe(true);
    expect(reader.rest()).toEqual(['escape']);
    expect(reader.waits).toBe(false);
    expect(reader.rest()).toEqual([]);
  });
});

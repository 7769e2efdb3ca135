/** The messages that the Monitor understands, one a line. */

export const MESSAGES = [
  { keyword: 'SHUTDOWN', says: 'Stop now; the job that runs is ended, and goes to fail-q' },
  { keyword: 'FINISH', says: 'Stop when the job that runs has ended' },
  { keyword: 'STATUS', says: 'Say what waits and what runs' },
  { keyword: 'CONFIG', says: 'Read config.txt anew, and say what is set' },
  { keyword: 'KILL JOB', argument: '[NAME]', says: 'End the job that runs; it goes to fail-q' },
  { keyword: 'PAUSE', says: 'Start no more jobs' },
  { keyword: 'RESUME', says: 'Start jobs again' },
  { keyword: 'RETRY', argument: 'NAME', says: 'Put a unit of work of error-q or fail-q back into wait-q' },
  { keyword: 'CANCEL', argument: 'NAME', says: 'Put a unit of work that waits into the trash' },
  { keyword: 'HELP', says: 'Say which messages there are' },
] as const satisfies readonly { keyword: string; argument?: string; says: string }[];

export type Keyword = (typeof MESSAGES)[number]['keyword'];

export type Message = { readonly keyword: Keyword; readonly name?: string };

/** Of what is not understood, so much is told. */
const SHOWN_CHARACTERS = 100;

/** Undefined for a line that says nothing. */
export function parseMessage(line: string): Message | { readonly wrong: string } | undefined {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return undefined;
  const found = MESSAGES.find(({ keyword }) => beginsWith(text, keyword));
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
  if (found === undefined) return { wrong: `there is no message "${shown}"; HELP says which there are` };
  const name = text.slice(found.keyword.length).trim();
  const argument = 'argument' in found ? found.argument : undefined;
  if (argument === undefined && name !== '') return { wrong: `"${shown}": ${found.keyword} stands alone` };
  if (argument === 'NAME' && name === '') {
    return { wrong: `"${shown}": Expected the name of a unit of work behind ${found.keyword}` };
  }
  return { keyword: found.keyword, ...(name === '' ? {} : { name }) };
}

function beginsWith(text: string, keyword: string): boolean {
  const next = text.charAt(keyword.length);
  return text.slice(0, keyword.length).toUpperCase() === keyword && (next === '' || /\s/.test(next));
}

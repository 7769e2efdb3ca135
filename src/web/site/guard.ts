/**
 * Who is answered at all.
 *
 * A page of another site, open in the browser of somebody who may reach us, can send requests here too. It cannot read what
 * it is answered, unless its own name leads here: its owner lets it (DNS rebinding). Then the request says that name, so
 * only names that we know are answered. An address in numbers cannot be led anywhere.
 *
 * With a token all but those who bear it are refused: programs as `Authorization: Bearer TOKEN`, browsers ask a person, who
 * gives it as the password of any user. The browser then sends it along by itself, also with a form of another site: what
 * changes something must come from a page of ours, see session.ts.
 */

import type { HttpRequest } from '../../os/ports.ts';
import { isSameSecret } from '../../os/same-secret.ts';

export type Guard = {
  /** What a request must bear; undefined: nothing. */
  readonly token: string | undefined;
  /** Names of this machine, in lower case. */
  readonly hosts: ReadonlySet<string>;
  /** Whether anything can be changed. */
  readonly mayChange?: boolean;
};

export type Refusal = {
  readonly status: 400 | 401 | 403 | 405 | 421;
  readonly text: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
};

/** Undefined for a request that is answered. */
export function refusalOf(
  { token, hosts, mayChange = false }: Guard,
  { method, headers }: HttpRequest,
): Refusal | undefined {
  if (!isKnownHost(headers.get('host'), hosts)) {
    return {
      status: 421,
      text: 'No host of that name is here. Whoever runs the server can name it: --host NAME.',
    };
  }
  if (token !== undefined && !isSameSecret(givenToken(headers.get('authorization') ?? ''), token)) {
    return {
      status: 401,
      text: 'A token is missing, or is another one.',
      headers: [
        ['www-authenticate', 'Basic realm="intray: any user, the token as password", charset="UTF-8"'],
      ],
    };
  }
  if (method === 'GET' || method === 'HEAD') return undefined;
  if (method !== 'POST' || !mayChange) {
    const allowed = mayChange ? 'GET, HEAD, POST' : 'GET, HEAD';
    return { status: 405, text: 'Nothing can be changed here in that way.', headers: [['allow', allowed]] };
  }
  return isFromHere(headers) ? undefined : { status: 403, text: 'This comes from another site.' };
}

/**
 * A browser says of which page a form is, and no page can make it say otherwise. Another port is another page; and what
 * says nothing is no browser of today.
 */
function isFromHere(headers: HttpRequest['headers']): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin') return false;
  return headers.get('origin')?.replace(/^https?:\/\//, '') === headers.get('host');
}

function isKnownHost(header: string | undefined, hosts: ReadonlySet<string>): boolean {
  const [, v6, name = ''] = /^(?:(\[[\da-fA-F:.]+\])|([^:[\]\s]+))(?::\d{1,5})?$/.exec(header ?? '') ?? [];
  if (v6 !== undefined || /^\d{1,3}(\.\d{1,3}){3}$/.test(name)) return true;
  return hosts.has(name.toLowerCase().replace(/\.$/, ''));
}

function givenToken(authorization: string): string {
  const [, scheme = '', given = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return given;
  const pair = fromBase64(given);
  return pair.slice(pair.indexOf(':') + 1);
}

/** Nothing of what is none. */
function fromBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return '';
  }
}

/** For every answer. Styles in attributes are those of colours in the output of jobs: made by us, of checked numbers. */
export const SAFE_HEADERS: readonly (readonly [name: string, value: string])[] = [
  [
    'content-security-policy',
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  ],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  // With none at all a browser would not say either where a form of ours comes from.
  ['referrer-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cache-control', 'no-store'],
];

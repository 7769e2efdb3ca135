/**
 * Forms that only our own pages can have made.
 *
 * A browser gets a cookie that no page can read and that it sends to us alone, and each form the code of that cookie, made
 * with a secret of this process. A page of another site may send our form, but not with the cookie (`SameSite=Strict`); and
 * whoever can set cookies for our name, as a program on another port of this machine can, knows no code for them:
 *
 *     cookie | code              | the form
 *     -------|-------------------|---------
 *     ours   | of this cookie    | is taken
 *     ours   | of another one    | is refused: somebody has seen a page of ours, but in another browser
 *     none   | any               | is refused: it was sent from elsewhere, or cookies are off
 *
 * Nothing is remembered, so there is nothing to fill up. When the server has been started anew, pages are to be loaded anew.
 */

import { encodeBytes } from '../../os/bytes.ts';
import { hmacSha256 } from '../../os/hmac.ts';
import type { HttpRequest, Machine } from '../../os/ports.ts';
import { isSameSecret } from '../../os/same-secret.ts';

/** In forms, the name of the code. */
export const CODE_FIELD = 'code';

const COOKIE = 'intray';

export type Session = {
  readonly code: string;
  /** What gives it to a browser that has none. */
  readonly headers: readonly (readonly [name: string, value: string])[];
};

export class Sessions {
  readonly #machine: Machine;
  readonly #secret: Uint8Array<ArrayBuffer>;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#secret = new Uint8Array(encodeBytes(machine.random.uuid() + machine.random.uuid()));
  }

  /** That of the browser, or a new one. */
  async of(request: HttpRequest): Promise<Session> {
    const known = cookieOf(request);
    if (known !== undefined) return { code: await this.#codeOf(known), headers: [] };
    const made = this.#machine.random.uuid();
    const cookie = `${COOKIE}=${made}; Path=/; HttpOnly; SameSite=Strict`;
    return { code: await this.#codeOf(made), headers: [['set-cookie', cookie]] };
  }

  hasCookie(request: HttpRequest): boolean {
    return cookieOf(request) !== undefined;
  }

  /** Whether a form with this code is from a page that we gave to this browser. */
  async isOurs(request: HttpRequest, code: string | undefined): Promise<boolean> {
    const cookie = cookieOf(request);
    return cookie !== undefined && isSameSecret(code ?? '', await this.#codeOf(cookie));
  }

  async #codeOf(cookie: string): Promise<string> {
    const code = await hmacSha256(this.#secret, cookie);
    return [...code].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

function cookieOf({ headers }: HttpRequest): string | undefined {
  for (const pair of (headers.get('cookie') ?? '').split(';')) {
    const [, value] = /^\s*intray=([\da-f-]{36})\s*$/.exec(pair) ?? [];
    if (value !== undefined) return value;
  }
  return undefined;
}

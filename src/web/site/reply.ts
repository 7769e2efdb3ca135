/** Answers to requests. */

import { html } from '../../html/markup.ts';
import type { HttpResponse } from '../../os/ports.ts';
import { type PageParts, servedPage } from '../pages/page.ts';
import { SAFE_HEADERS } from './guard.ts';

type Headers = readonly (readonly [name: string, value: string])[];

export const HTML = 'text/html; charset=utf-8';
export const TEXT = 'text/plain; charset=utf-8';

export function reply(status: number, type: string, text: string, headers: Headers = []): HttpResponse {
  const body = new TextEncoder().encode(text);
  return { status, headers: [['content-type', type], ...SAFE_HEADERS, ...headers], body };
}

export function pageReply(parts: PageParts, headers: Headers = [], status = 200): HttpResponse {
  return reply(status, HTML, servedPage(parts, '/'), headers);
}

/** Why something was not done. */
export function refusalReply(status: number, sentence: string): HttpResponse {
  return pageReply({ ...saying('Not done', sentence), isStill: true }, [], status);
}

export function notFound(sentence: string): HttpResponse {
  return pageReply(saying('Not found', sentence), [], 404);
}

function saying(heading: string, sentence: string): PageParts {
  const body = html`<p>${sentence}</p><p><a href="/">All queues</a></p>`;
  return { title: heading, trail: [], heading, body };
}

/** With GET, whatever the request was. */
export function seeOther(location: string): HttpResponse {
  return reply(303, TEXT, '', [['location', location]]);
}

export function withoutBody({ status, headers }: HttpResponse): HttpResponse {
  return { status, headers, body: new Uint8Array() };
}

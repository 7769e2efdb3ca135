/** What all pages have around them. */

import { html, type Markup, markupText, trusted } from '../../html/markup.ts';
import { TERMINAL_STYLE } from '../../html/terminal.ts';
import { formatMs } from '../../os/calendar.ts';
import { CHART_STYLE } from './chart-style.ts';
import { PAGE_STYLE } from './style.ts';

export const STYLE = `${PAGE_STYLE}\n${CHART_STYLE}\n${TERMINAL_STYLE}\n`;

export type PageParts = {
  readonly title: string;
  /** The way back, outermost first. */
  readonly trail: readonly { readonly name: string; readonly href: string }[];
  readonly heading: string;
  /** Below the heading, and not replaced while somebody looks: forms, for instance. */
  readonly lead?: Markup;
  /** What is replaced when there is news. */
  readonly body: Markup;
  /** When what it shows was seen; left out where that says nothing. */
  readonly takenMs?: number;
  /** Somebody fills something in here: it stays as it is. */
  readonly isStill?: true;
};

/** A page that the server gives out: style and script are files of its own, and nothing else may be loaded or run. */
export function servedPage(parts: PageParts, root: string): string {
  const script = html`<script src="${root}live.js" defer data-events="${root}events"></script>`;
  const head = html`<link rel="stylesheet" href="${root}style.css">
${parts.isStill === true ? undefined : script}`;
  return pageText(parts, head);
}

/** A page that is a file: all is in it, and nothing is loaded or run. */
export function filePage(parts: PageParts): string {
  const head = html`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<style>${trusted(STYLE)}</style>`;
  return pageText(parts, head);
}

function pageText({ title, trail, heading, lead, body, takenMs }: PageParts, head: Markup): string {
  const way = trail.map(
    ({ name, href }) => html`<a href="${href}">${name}</a> <span aria-hidden="true">/</span> `,
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${head}
<title>${title}</title>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
${trail.length === 0 ? undefined : html`<nav aria-label="Where you are">${way}</nav>`}
<h1>${heading}</h1>
</header>
<main id="main" tabindex="-1">
${lead}
<div id="live">
${body}
${takenMs === undefined ? undefined : html`<p class="quiet">Seen at ${formatMs(takenMs).slice(11, 19)} UTC</p>`}
</div>
</main>
<footer><p id="live-state"></p></footer>
</body>
</html>
`;
  return markupText(page);
}

/** A table that a narrow screen scrolls sideways, also by keys. */
export function wideTable(caption: string, table: Markup): Markup {
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0">${table}</div>`;
}

/** What stands between backquotes is to be typed. */
export function withCode(words: string): Markup {
  return html`${words.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

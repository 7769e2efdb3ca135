/** How what a job wrote for a terminal looks: dark, whatever the page is. The classes are those of ansi.ts. */

const TERMINAL = [
  '#1e1e1e #e4606c #8cc265 #d18f52 #4aa5f0 #c162de #42b3c2 #d7dae0',
  '#7f848e #ff616e #a5e075 #f0a45d #4dc4ff #de73ff #4cd1e0 #ffffff',
]
  .join(' ')
  .split(' ');

const COLOURS = TERMINAL.map(
  (colour, index) => `.f-${index}{color:${colour}}.b-${index}{background-color:${colour}}`,
).join('\n');

export const TERMINAL_STYLE = `.log{background:#1e1e1e;color:#d7dae0;padding:1rem;border-radius:6px;font:13px/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;tab-size:8}
.bold{font-weight:bold}.faint{opacity:.65}.italic{font-style:italic}.underline{text-decoration:underline}.struck{text-decoration:line-through}.underline.struck{text-decoration:underline line-through}
.f-paper{color:#1e1e1e}.b-ink{background-color:#d7dae0}
${COLOURS}`;

/** How charts look: in the colours of the page, told apart by shape too. */

export const CHART_STYLE = `figure{margin:.4rem 0}
svg{display:block;width:100%;height:auto;max-width:48rem}
svg text{fill:var(--quiet);font:12px system-ui,sans-serif}
.axis{fill:none;stroke:var(--quiet)}
.bar-well{fill:var(--well)}.bar-bad{fill:var(--bad)}
.line-half,.line-most{fill:none;stroke:var(--now);stroke-width:2}.line-most{stroke:var(--odd);stroke-dasharray:5 3}
circle.line-half{fill:var(--now)}circle.line-most{fill:var(--odd);stroke-dasharray:none}
.keys{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:0;margin:.3rem 0;color:var(--quiet);font-size:.9rem}
.key{display:inline-block;width:1.1em;height:.7em;margin-right:.4em;border:0}
.key.bar-well{background:var(--well)}.key.bar-bad{background:var(--bad)}.key.line-half{background:var(--now)}.key.line-most{background:var(--odd)}`;

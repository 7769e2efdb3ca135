/** Spans of time as people write them. */

const UNITS_MS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** What `parseSpan` takes, for whoever has to say so. */
export const A_SPAN = 'a span of time such as 10s, 5m, 2h, 1d or 1h30m';

/** Milliseconds: `10s`, `5m`, `1h30m`, `1.5h`. Undefined when it is none. */
export function parseSpan(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    ms += Number(count) * (UNITS_MS[unit] as number);
  }
  return Number.isFinite(ms) && ms <= LONGEST_MS ? Math.round(ms) : undefined;
}

/** About a thousand years. */
const LONGEST_MS = 1000 * 366 * 86_400_000;

/** `45s`, `3m 20s`, `2h 5m`, `3d 4h`: two units at most. */
export function formatSpan(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return `${(ms / 1000).toFixed(1)}s`;
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count}${unit}`).join(' ');
}

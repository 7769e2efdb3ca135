/**
 * The rules of OpenMetrics 1.0 as far as gauges go, written down again from the specification's grammar: what is said
 * against a text. An empty list is a text that may be exposed. Gauges with a label `le` are counts as in the buckets of a
 * histogram: they rise with it, and end with `+Inf`.
 */

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

export function offencesIn(text: string): string[] {
  if (!text.endsWith('# EOF\n')) return ['does not end with # EOF'];
  const offences: string[] = [];
  const series = new Map<string, number>();
  const families = new Set<string>();
  let family = '';
  let told = new Set<string>();
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const comment = /^# (TYPE|UNIT|HELP) (\S+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind = '', name = '', value = ''] = comment;
      if (name !== family) {
        if (families.has(name)) offences.push(`${name} is interleaved`);
        families.add(name);
        family = name;
        told = new Set();
      }
      if (told.has(kind)) offences.push(`${kind} twice: ${name}`);
      if (told.has('sample')) offences.push(`${kind} behind samples: ${name}`);
      told.add(kind);
      if (!NAME.test(name)) offences.push(`no name: ${name}`);
      if (kind === 'TYPE' && value !== 'gauge') offences.push(`type ${value}`);
      if (kind === 'UNIT' && !name.endsWith(`_${value}`)) offences.push(`${name} does not end with ${value}`);
      if (kind === 'HELP' && !/^(?:[^\\]|\\[\\n"])*$/.test(value)) offences.push(`wrong escape: ${value}`);
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null) {
      offences.push(`no sample: ${line}`);
      continue;
    }
    const [, name = '', labels = '', value] = sample;
    if (name !== family) offences.push(`${name} is in the family ${family}`);
    if (/_(total|bucket|count|sum|created|info)$/.test(name)) offences.push(`reserved suffix: ${name}`);
    const names = [...labels.matchAll(/([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"/g)].map(([, label = '']) => label);
    if (new Set(names).size < names.length) offences.push(`a label twice: ${line}`);
    if (names.some((label) => label.startsWith('__') || label === 'quantile'))
      offences.push(`a reserved label: ${line}`);
    if (series.has(`${name}{${labels}}`)) offences.push(`twice: ${line}`);
    series.set(`${name}{${labels}}`, Number(value));
    told.add('sample');
  }
  return [...offences, ...bucketOffences([...series.entries()])];
}

function bucketOffences(series: readonly (readonly [series: string, value: number])[]): string[] {
  const ladders = new Map<string, { readonly bound: number; readonly value: number }[]>();
  for (const [key, value] of series) {
    const [, le] = /[{,]le="([^"]*)"/.exec(key) ?? [];
    if (le === undefined) continue;
    const others = key.replace(/,?le="[^"]*"/, '');
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
    ladders.set(others, [...(ladders.get(others) ?? []), { bound, value }]);
  }
  return [...ladders].flatMap(([others, rungs]) => {
    const rises = rungs.every(
      ({ bound, value }, at) =>
        at === 0 || (bound > (rungs[at - 1]?.bound ?? 0) && value >= (rungs[at - 1]?.value ?? 0)),
    );
    const ends = rungs.at(-1)?.bound === Number.POSITIVE_INFINITY;
    return rises && ends ? [] : [`no buckets: ${others}`];
  });
}

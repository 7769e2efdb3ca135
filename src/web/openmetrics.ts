/**
 * Numbers as OpenMetrics text (the specification: prometheus/OpenMetrics, version 1.0), in that part of it that the older
 * text format of Prometheus has too: node_exporter's textfile collector reads that one only. So there are gauges and
 * nothing else, no times of measuring, and `# EOF` and `# UNIT`, which are comments to the old one.
 */

import { printable } from '../os/printable.ts';

export type Sample = {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

export type Gauge = {
  /** Ends with its unit, where it has one. */
  readonly name: string;
  readonly help: string;
  readonly unit?: 'seconds';
  readonly samples: readonly Sample[];
};

/** A gauge without samples is left out. */
export function openMetricsText(gauges: readonly Gauge[]): string {
  const lines: string[] = [];
  for (const { name, help, unit, samples } of gauges) {
    if (samples.length === 0) continue;
    lines.push(`# TYPE ${name} gauge`);
    if (unit !== undefined) lines.push(`# UNIT ${name} ${unit}`);
    lines.push(`# HELP ${name} ${escaped(help)}`);
    for (const { labels, value } of samples) lines.push(`${name}${labelsText(labels)} ${value}`);
  }
  return `${[...lines, '# EOF'].join('\n')}\n`;
}

function labelsText(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(printable(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/**
 * `config.txt`: one setting a line, as `NAME :: CONTENT`; blank lines and lines that begin with # say nothing.
 *
 * | setting                           | default                           |                                              |
 * |-----------------------------------|-----------------------------------|----------------------------------------------|
 * | `job TYPE`                        | none                              | the command; see template.ts                 |
 * | `timeout TYPE`                    | none                              | how long it may run: `30m`                   |
 * | `sleep seconds`                   | 15                                | how long the Monitor sleeps at most          |
 * | `quiet seconds`                   | 2                                 | how long a file must not have changed        |
 * | `jobs at once`                    | 1                                 |                                              |
 * | `status text`, `status html`      | none                              | files to post the status in                  |
 * | `status keeps`                    | 200                               | so many of each queue are shown in it        |
 * | `messages in`, `messages out`     | `monitor_reads`, `monitor_says`   |                                              |
 * | `name wait-q`, `name done-q`, ... | as the place is called            | what it is called here                       |
 */

import { A_SPAN, parseSpan } from '../os/span.ts';
import { parseTemplate, type Template } from './template.ts';
import { splitItem } from './text.ts';

export const PLACES = [
  'wait-q',
  'priority-q',
  'currently-executing',
  'done-q',
  'error-q',
  'fail-q',
  'trash',
  'archive',
] as const;

export type Place = (typeof PLACES)[number];

export type JobType = {
  readonly name: string;
  readonly template: Template;
  readonly timeoutMs: number | undefined;
};

export type Config = {
  readonly sleepMs: number;
  readonly quietMs: number;
  readonly jobsAtOnce: number;
  /** Paths, from the root. */
  readonly statusText: string | undefined;
  readonly statusHtml: string | undefined;
  readonly statusKeeps: number;
  readonly reads: string;
  readonly says: string;
  readonly names: Readonly<Record<Place, string>>;
  readonly jobs: ReadonlyMap<string, JobType>;
};

export type ConfigProblem = { readonly line: number; readonly message: string };

/** Every problem, or the config when there is none. */
export function parseConfig(text: string): Config | readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const draft = newDraft();
  const seen = new Map<string, number>();
  const lines = text.replace(/^\ufeff/, '').split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const message = takeLine(draft, seen, line, content);
    if (message !== undefined) problems.push({ line, message });
  }
  for (const type of draft.timeouts.keys()) {
    if (draft.jobs.has(type)) continue;
    problems.push({ line: seen.get(`timeout ${type}`) ?? 0, message: `there is no \`job ${type}\`` });
  }
  problems.push(...clashes(draft.names, seen));
  return problems.length > 0 ? problems.sort((a, b) => a.line - b.line) : finished(draft);
}

export const DEFAULT_CONFIG: Config = finished(newDraft());

type Draft = {
  -readonly [K in Exclude<keyof Config, 'jobs' | 'names'>]: Config[K];
} & {
  readonly names: Record<Place, string>;
  readonly jobs: Map<string, Template>;
  readonly timeouts: Map<string, number>;
};

function newDraft(): Draft {
  return {
    sleepMs: 15_000,
    quietMs: 2000,
    jobsAtOnce: 1,
    statusText: undefined,
    statusHtml: undefined,
    statusKeeps: 200,
    reads: 'monitor_reads',
    says: 'monitor_says',
    names: Object.fromEntries(PLACES.map((place) => [place, place])) as Record<Place, string>,
    jobs: new Map(),
    timeouts: new Map(),
  };
}

function finished({ jobs, timeouts, ...rest }: Draft): Config {
  const types = Array.from(
    jobs,
    ([name, template]) => [name, { name, template, timeoutMs: timeouts.get(name) }] as const,
  );
  return { ...rest, jobs: new Map(types) };
}

/** What was expected, or undefined when it was taken. `seen`: by name, the line in which it stands. */
function takeLine(draft: Draft, seen: Map<string, number>, line: number, text: string): string | undefined {
  const item = splitItem(text);
  if (item === undefined) return `Expected \`NAME :: CONTENT\`, got "${text.slice(0, 80)}"`;
  const before = seen.get(keyOf(item.name));
  if (before !== undefined) return `\`${item.name}\` is there already, in line ${before}`;
  seen.set(keyOf(item.name), line);
  return takeSetting(draft, item.name, item.content);
}

/** The settings whose name is not known beforehand. Types keep their case. */
const NAMED = /^(job|timeout)\s+(\S+)$/i;

function keyOf(name: string): string {
  const [, kind, type] = NAMED.exec(name) ?? [];
  return kind === undefined ? name.toLowerCase().replace(/\s+/g, ' ') : `${kind.toLowerCase()} ${type}`;
}

function takeSetting(draft: Draft, name: string, content: string): string | undefined {
  const key = keyOf(name);
  const [, kind, type = ''] = NAMED.exec(key) ?? [];
  if (kind === 'job') return takeJob(draft, type, content);
  if (kind === 'timeout') {
    const ms = parseSpan(content);
    if (ms === undefined || ms === 0) return `Expected ${A_SPAN}, got "${content}"`;
    draft.timeouts.set(type, ms);
    return undefined;
  }
  const place = PLACES.find((known) => key === `name ${known}`);
  if (place !== undefined) {
    if (!isName(content)) return `Expected a name without a slash, got "${content}"`;
    draft.names[place] = content;
    return undefined;
  }
  const setting = SETTINGS[key];
  if (setting !== undefined) return setting(draft, content);
  const known = ['job TYPE', 'timeout TYPE', ...Object.keys(SETTINGS), 'name wait-q'].join(', ');
  return `there is no setting \`${name}\`; there are ${known} and other places`;
}

function takeJob(draft: Draft, type: string, content: string): string | undefined {
  const template = parseTemplate(content);
  if ('wrong' in template) return template.wrong;
  draft.jobs.set(type, template);
  return undefined;
}

type Setting = (draft: Draft, content: string) => string | undefined;

function number(least: number, most: number, take: (draft: Draft, value: number) => void): Setting {
  return (draft, content) => {
    const value = /^\d{1,6}(\.\d{1,3})?$/.test(content) ? Number(content) : Number.NaN;
    if (!(value >= least && value <= most)) {
      return `Expected a number from ${least} to ${most}, got "${content}"`;
    }
    take(draft, value);
    return undefined;
  };
}

function whole(least: number, most: number, take: (draft: Draft, value: number) => void): Setting {
  const any = number(least, most, take);
  return (draft, content) =>
    /\./.test(content) ? `Expected a whole number, got "${content}"` : any(draft, content);
}

function path(take: (draft: Draft, value: string) => void): Setting {
  return (draft, content) => {
    if (content === '' || content.endsWith('/')) return `Expected the path of a file, got "${content}"`;
    take(draft, content);
    return undefined;
  };
}

const SETTINGS: Readonly<Record<string, Setting>> = {
  'sleep seconds': number(0.1, 86_400, (draft, value) => {
    draft.sleepMs = value * 1000;
  }),
  'quiet seconds': number(0, 3600, (draft, value) => {
    draft.quietMs = value * 1000;
  }),
  'jobs at once': whole(1, 100, (draft, value) => {
    draft.jobsAtOnce = value;
  }),
  'status text': path((draft, value) => {
    draft.statusText = value;
  }),
  'status html': path((draft, value) => {
    draft.statusHtml = value;
  }),
  'status keeps': whole(0, 10_000, (draft, value) => {
    draft.statusKeeps = value;
  }),
  'messages in': path((draft, value) => {
    draft.reads = value;
  }),
  'messages out': path((draft, value) => {
    draft.says = value;
  }),
};

function isName(content: string): boolean {
  return content !== '' && !content.startsWith('.') && !content.includes('/');
}

/** Two places of one name would be one place. */
function clashes(names: Readonly<Record<Place, string>>, seen: ReadonlyMap<string, number>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  PLACES.forEach((place, index) => {
    const other = PLACES.slice(0, index).find((before) => names[before] === names[place]);
    if (other === undefined) return;
    const line = seen.get(`name ${place}`) ?? seen.get(`name ${other}`) ?? 0;
    problems.push({ line, message: `${place} and ${other} are both called "${names[place]}"` });
  });
  return problems;
}

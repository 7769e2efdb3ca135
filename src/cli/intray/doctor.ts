import { type Examination, examine } from '../../doctor/doctor.ts';
import type { Verdict } from '../../doctor/probe.ts';
import { type Problem, SEVERITY, type Severity } from '../../doctor/queue.ts';
import { STDOUT } from '../../os/ports.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { untilStopped } from '../stop-signals.ts';
import { type Colours, coloursFor, progressFor } from '../terminal.ts';
import { problemWords, REMEDIES } from './doctor-words.ts';
import { type Ending, exitStatus } from './exit-codes.ts';

type Given = { readonly options: { readonly json: boolean }; readonly operand: string };

export async function doctor(context: Context, { options, operand }: Given): Promise<number> {
  const { machine } = context;
  const progress = await progressFor(machine);
  const found = await untilStopped(machine, async (stop) => {
    try {
      return await examine(machine, operand, {
        stop,
        onProbe: ({ title }, at, of) => progress.say(`${at} of ${of}: ${title}`),
      });
    } finally {
      await progress.clear();
    }
  });
  const ending = endingOf(found);
  if (options.json) await printJson(context, documentOf(found, ending));
  else await context.print(report(found, await coloursFor(machine, STDOUT)));
  return exitStatus(ending);
}

/** The worst of what was found: a place that cannot keep a promise, then damage, then a gap. */
export function endingOf({ probes, promises, queue, hindrance }: Examination): Ending {
  const severities = new Set((queue?.problems ?? []).map(({ kind }) => SEVERITY[kind]));
  if (promises.some(({ verdict }) => verdict === 'fails')) return 'unsafe';
  if (severities.has('damage')) return 'damaged';
  if (severities.has('gap')) return 'gap';
  const hindered = hindrance !== undefined || probes.some(({ error }) => error !== undefined);
  return hindered ? 'error' : 'done';
}

/** What --json prints; docs/doctor.md describes it. */
function documentOf(found: Examination, ending: Ending) {
  const { directory, mount, network, hindrance, probes, promises, queue } = found;
  return {
    directory,
    ending,
    mount: mount ?? null,
    network,
    hindrance: hindrance ?? null,
    probes,
    promises,
    queue:
      queue === undefined
        ? null
        : {
            appendOnly: queue.appendOnly,
            next: queue.next ?? null,
            waiting: queue.waiting,
            problems: queue.problems.map((problem) => ({
              severity: SEVERITY[problem.kind],
              ...problem,
              ...problemWords(problem),
            })),
          },
  };
}

/** The same for people. */
export function report(found: Examination, colours: Colours): string {
  const { probes, promises, queue } = found;
  const width = Math.max(...probes.map(({ title }) => title.length));
  const sections = [
    introduction(found),
    `What the file system does here\n${probes
      .map(({ verdict, title, seen }) => `  ${mark(verdict, colours)}  ${title.padEnd(width)}  ${seen}\n`)
      .join('')}`,
    ...(queue === undefined
      ? []
      : [`What is wrong with the queue\n${problemLines(queue.problems, colours)}`]),
    `What holds here (GUARANTEES.md says it in full)\n${promises
      .map(({ promise, says, verdict, because }) => {
        const titles = because.map((name) => probes.find((probe) => probe.name === name)?.title ?? name);
        const why = titles.length === 0 ? '' : `, for want of: ${titles.join('; ')}`;
        return `  ${mark(verdict, colours)}  ${promise}  ${says}${colours.faint(why)}\n`;
      })
      .join('')}`,
    ...remedies(found),
  ];
  return sections.join('\n');
}

function introduction({ directory, mount, network, hindrance, queue }: Examination): string {
  const lines = [`${directory}: ${queue === undefined ? 'no queue, a directory' : 'a Filespooler queue'}`];
  if (queue?.appendOnly) lines.push('append-only: it has no number of its own, and is processed elsewhere');
  if (queue?.next !== undefined) lines.push(`${jobs(queue.waiting)}; the next is number ${queue.next}`);
  if (mount !== undefined) {
    const kind = network ? ', which other hosts may have mounted too' : '';
    lines.push(`${mount.type}, mounted at ${mount.point} from ${mount.source}${kind}`);
  }
  if (hindrance !== undefined) lines.push(`Nothing could be tried there: ${hindrance}.`);
  return `${lines.join('\n')}\n`;
}

function jobs(waiting: number): string {
  if (waiting === 0) return 'no job waits';
  return waiting === 1 ? '1 job waits' : `${waiting} jobs wait`;
}

const MARKS: Readonly<Record<Verdict, readonly [text: string, colour: keyof Colours]>> = {
  holds: ['yes', 'good'],
  fails: ['NO ', 'bad'],
  unknown: ['?  ', 'warning'],
};

function mark(verdict: Verdict, colours: Colours): string {
  const [text, colour] = MARKS[verdict];
  return colours[colour](text);
}

const SEVERITY_COLOURS: Readonly<Record<Severity, keyof Colours>> = {
  damage: 'bad',
  gap: 'warning',
  note: 'faint',
};

/** How many problems are told one by one. */
const TOLD_LIMIT = 50;

function problemLines(problems: readonly Problem[], colours: Colours): string {
  if (problems.length === 0) return `  ${colours.good('nothing')}\n`;
  const lines = problems.slice(0, TOLD_LIMIT).map((problem) => {
    const severity = SEVERITY[problem.kind];
    const { says, remedy } = problemWords(problem);
    return `  ${colours[SEVERITY_COLOURS[severity]](severity.padEnd('damage'.length))}  ${says}\n          ${remedy}\n`;
  });
  const more = problems.length - TOLD_LIMIT;
  return lines.join('') + (more > 0 ? `  and ${more} more; --json tells all\n` : '');
}

/** Where the system hindered us nothing is known, and nothing to be done but what the probe of room says. */
function remedies({ probes }: Examination): string[] {
  const told = probes.filter(
    ({ verdict, name, error }) => verdict !== 'holds' && error === undefined && REMEDIES[name] !== undefined,
  );
  const tried = probes.some(({ verdict }) => verdict !== 'unknown');
  if (told.length === 0 || !tried) return [];
  return [`What to do\n${told.map(({ name, title }) => `  ${title}: ${REMEDIES[name]}\n`).join('')}`];
}

import { type Examination, examine, type Probed } from '../../doctor/doctor.ts';
import type { Verdict } from '../../doctor/probe.ts';
import type { WorkersAssessment } from '../../doctor/promises.ts';
import { type Problem, type QueueReport, type Severity, severityOf } from '../../doctor/queue.ts';
import { isOnServers } from '../../open/create.ts';
import { kindWords } from '../../open/kind-words.ts';
import { STDOUT } from '../../os/ports.ts';
import { QueueError } from '../../queue/errors.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { printable } from '../printable.ts';
import { untilStopped } from '../stop-signals.ts';
import { type Colours, coloursFor, progressFor } from '../terminal.ts';
import { problemWords, REMEDIES, WORKERS_MEANING } from './doctor-words.ts';
import { type Ending, exitStatus } from './exit-codes.ts';
import type { Decoded, InQueue } from './looking.ts';

type Given = InQueue & Decoded & { readonly options: { readonly json: boolean } };

export async function doctor(context: Context, { options, operand }: Given): Promise<number> {
  const { machine } = context;
  await refuseRemote(context, operand);
  const progress = await progressFor(machine);
  const found = await untilStopped(machine, async (stop) => {
    try {
      return await examine(machine, operand, {
        stop,
        decoder: options.decoder,
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

/** Throws `not-possible`: a doctor examines what a file system does. */
async function refuseRemote({ machine }: Context, operand: string): Promise<void> {
  if (!(await isOnServers(machine, operand))) return;
  throw new QueueError(
    'not-possible',
    `${operand}: it is no directory, whose file system could be examined; \`intray status\` says how safe jobs are there, \`intray repair\` what is not in order`,
  );
}

/** The worst of what was found: a place that cannot keep a promise, then damage, then a gap. */
export function endingOf({ probes, promises, queue, hindrance }: Examination): Ending {
  const severities = new Set((queue?.problems ?? []).map(severityOf));
  if (promises.some(({ verdict }) => verdict === 'fails')) return 'unsafe';
  if (severities.has('damage')) return 'damaged';
  if (severities.has('gap')) return 'gap';
  const hindered = hindrance !== undefined || probes.some(({ error }) => error !== undefined);
  return hindered ? 'error' : 'done';
}

/** What --json prints; docs/doctor.md describes it. */
function documentOf(found: Examination, ending: Ending) {
  const { directory, mount, network, hindrance, probes, promises, workers, queue } = found;
  return {
    directory,
    ending,
    mount: mount ?? null,
    network,
    hindrance: hindrance ?? null,
    probes,
    promises,
    workers: workers.map((one) => ({ ...one, means: meaningsOf(one, probes) })),
    queue: queue === undefined ? null : queueDocument(directory, queue),
  };
}

function queueDocument(directory: string, { snapshot, problems }: QueueReport) {
  const next = snapshot?.lanes.find(({ lane }) => lane === '')?.next;
  return {
    kind: snapshot?.kind ?? null,
    order: snapshot?.order ?? null,
    paused: snapshot?.paused ?? null,
    next: next ?? null,
    waiting: snapshot?.counts.waiting ?? null,
    running: snapshot?.counts.running ?? null,
    failed: snapshot?.counts.failed ?? null,
    problems: problems.map((problem) => ({
      severity: severityOf(problem),
      ...('message' in problem ? { kind: problem.kind, path: problem.path } : problem),
      ...problemWords(directory, problem),
    })),
  };
}

/** The same for people. */
export function report(found: Examination, colours: Colours): string {
  const { directory, probes, promises, workers, queue } = found;
  const width = Math.max(...probes.map(({ title }) => title.length));
  const sections = [
    introduction(found),
    `What the file system does here\n${probes
      .map(({ verdict, title, seen }) => `  ${mark(verdict, colours)}  ${title.padEnd(width)}  ${seen}\n`)
      .join('')}`,
    ...(queue === undefined
      ? []
      : [`What is wrong with the queue\n${problemLines(directory, queue.problems, colours)}`]),
    `What holds here (GUARANTEES.md says it in full)\n${promises
      .map(({ promise, says, verdict, because }) => {
        const why = forWantOf(because, probes);
        return `  ${mark(verdict, colours)}  ${promise}  ${says}${colours.faint(why)}\n`;
      })
      .join('')}`,
    `What workers can do here (intray work)\n${workers.map((one) => workersLines(one, probes, colours)).join('')}`,
    ...remedies(found),
  ];
  return sections.join('\n');
}

function introduction({ directory, mount, network, hindrance, queue }: Examination): string {
  const lines = [`${printable(directory)}: ${queueWords(queue)}`];
  const snapshot = queue?.snapshot;
  if (snapshot !== undefined) {
    const { counts, paused } = snapshot;
    const words = [waits(counts.waiting), `${counts.running} running`, `${counts.failed} failed`];
    lines.push(`${words.join(', ')}${paused ? '; paused: no job starts' : ''}`);
  }
  if (mount !== undefined) {
    const kind = network ? ', which other hosts may have mounted too' : '';
    lines.push(`${mount.type}, mounted at ${mount.point} from ${mount.source}${kind}`);
  }
  if (hindrance !== undefined) lines.push(`Nothing could be tried there: ${hindrance}.`);
  return `${lines.join('\n')}\n`;
}

function queueWords(queue: QueueReport | undefined): string {
  if (queue === undefined) return 'no queue, a directory';
  return queue.snapshot === undefined ? 'a queue that cannot be seen as a whole' : kindWords(queue.snapshot);
}

function waits(waiting: number): string {
  if (waiting === 0) return 'no job waits';
  return waiting === 1 ? '1 job waits' : `${waiting} jobs wait`;
}

function workersLines(one: WorkersAssessment, probes: readonly Probed[], colours: Colours): string {
  const means = meaningsOf(one, probes).map((sentence) => `       ${sentence}\n`);
  const why = colours.faint(forWantOf(one.because, probes));
  return `  ${mark(one.verdict, colours)}  ${one.says}${why}\n${means.join('')}`;
}

/** Of what could not be tried nothing is said, but of locks between hosts, which nobody can try from one. */
function meaningsOf({ claim, verdict, because }: WorkersAssessment, probes: readonly Probed[]): string[] {
  const tried = probes.some((probe) => probe.verdict !== 'unknown');
  const known = because.filter((name) => verdict === 'fails' || (tried && name === 'lock-hosts'));
  return [...new Set(known.flatMap((name) => WORKERS_MEANING[claim][name] ?? []))];
}

function forWantOf(because: readonly string[], probes: readonly Probed[]): string {
  const titles = because.map((name) => probes.find((probe) => probe.name === name)?.title ?? name);
  return titles.length === 0 ? '' : `, for want of: ${titles.join('; ')}`;
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

function problemLines(directory: string, problems: readonly Problem[], colours: Colours): string {
  if (problems.length === 0) return `  ${colours.good('nothing')}\n`;
  const lines = problems.slice(0, TOLD_LIMIT).map((problem) => {
    const severity = severityOf(problem);
    const { says, remedy } = problemWords(directory, problem);
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

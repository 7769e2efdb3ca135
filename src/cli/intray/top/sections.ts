/** The lists of one queue as tables: what runs, the lanes, what waits, what has failed, who works it. */

import { age, statePhrase } from '../../../queue/job-words.ts';
import type { SeenJob, SeenWorker } from '../../../queue/snapshot.ts';
import { duration, QUEUE_LANE } from '../../../queue/words.ts';
import { shortNames } from '../job-words.ts';
import type { SeenQueue } from './picture.ts';
import type { FailedRow, LaneRow, Rows, RunningRow, Section, WaitingRow, Why, WorkerRow } from './rows.ts';
import { type Cell, type Column, type TableLines, tableLines } from './table.ts';
import { type Style, safe } from './text.ts';

export type SectionTable = {
  readonly section: Section;
  readonly title: string;
  /** For screens that are narrow. */
  readonly short: string;
  /** How many there are, of which some may not be listed. */
  readonly total: number;
  readonly keys: readonly string[];
  /** Some of the rows, the one at `chosen` among them with the cursor. */
  lines(from: number, count: number, width: number, chosen: number | undefined): TableLines;
};

export function sectionTables(queue: SeenQueue, rows: Rows, nowMs: number): readonly SectionTable[] {
  const { counts, workers } = queue.snapshot;
  const table = <Row extends { readonly key: string }>(
    section: Section,
    [title, short]: readonly [string, string],
    total: number,
    all: readonly Row[],
    columns: readonly Column<Row>[],
  ): SectionTable => ({
    section,
    title,
    short,
    total,
    keys: all.map(({ key }) => key),
    lines: (from, count, width, chosen) =>
      tableLines(
        columns,
        all.slice(from, from + count),
        width,
        chosen === undefined ? undefined : chosen - from,
      ),
  });
  const failed = counts.failed + counts.lanesFailed;
  const jobs = [...rows.running, ...rows.waiting, ...rows.failed].map(({ key }) => key);
  const ids = shortNames([...new Set(jobs)], ID_LENGTH);
  return [
    table('running', ['Running', 'Run'], counts.running, rows.running, runningColumns(queue, ids, nowMs)),
    table('lanes', ['Lanes', 'Lanes'], rows.lanes.length, rows.lanes, LANE_COLUMNS),
    table('waiting', ['Waiting', 'Wait'], counts.waiting, rows.waiting, waitingColumns(queue, ids, nowMs)),
    table('failed', ['Failed', 'Fail'], failed, rows.failed, failedColumns(queue, ids, nowMs)),
    table('workers', ['Workers', 'Work'], workers.length, rows.workers, workerColumns(nowMs)),
  ];
}

const ID_LENGTH = 8;

/** As much of each id as tells it from the others. */
type ShortIds = ReadonlyMap<string, string>;

function idColumn<Row>(ids: ShortIds, idOf: (row: Row) => string): Column<Row> {
  const cell = (row: Row) => ({ text: safe(ids.get(idOf(row)) ?? idOf(row)) });
  return { title: 'JOB', leave: 1, least: ID_LENGTH, cell };
}

function laneColumn<Row>(laneOf: (row: Row) => string | undefined): Column<Row> {
  return {
    title: 'LANE',
    least: 6,
    leave: 2,
    onlyIfAny: true,
    cell: (row) => ({ text: safe(laneOf(row) ?? '') }),
  };
}

function right<Row>(title: string, leave: number, of: (row: Row) => string): Column<Row> {
  return { title, align: 'right', leave, onlyIfAny: true, cell: (row) => ({ text: of(row) }) };
}

function paramsColumn<Row>({ details }: SeenQueue, idOf: (row: Row) => string): Column<Row> {
  return {
    title: 'PARAMS',
    least: 8,
    fair: 12,
    leave: 4,
    onlyIfAny: true,
    cell: (row) => ({ text: safe(details.params.get(idOf(row)) ?? '') }),
  };
}

/** A number that no order hangs on is long and says nothing. */
function numberOf({ lane, seq }: SeenJob): string {
  return lane === undefined ? '' : String(seq ?? '');
}

function runningColumns(queue: SeenQueue, ids: ShortIds, nowMs: number): readonly Column<RunningRow>[] {
  return [
    idColumn(ids, ({ key }) => key),
    { title: 'WORKER', least: 8, leave: 5, cell: ({ job }) => workerCell(job.worker) },
    laneColumn(({ job }) => job.lane),
    right('NUMBER', 7, ({ job }) => numberOf(job)),
    right('TRY', 6, ({ job }) => String(job.attempts)),
    right('FOR', 2, ({ job }) => (job.sinceMs === undefined ? '' : duration(nowMs - job.sinceMs))),
    paramsColumn(queue, ({ key }) => key),
    {
      title: 'LAST OUTPUT',
      least: 12,
      fair: 28,
      cell: ({ key }) => ({ text: safe(queue.details.said.get(key) ?? '') }),
    },
  ];
}

const LIFE_STYLES: Readonly<Record<SeenWorker['life'], Style>> = {
  alive: 'plain',
  dead: 'bad',
  silent: 'warning',
  unknown: 'faint',
};

function workerCell({ host, pid, name, life }: SeenWorker): Cell {
  const who = safe(pid === undefined ? name : `${host}:${pid}`);
  return { text: life === 'alive' ? who : `${who} (${life})`, style: LIFE_STYLES[life] };
}

const WHY_STYLES: Readonly<Record<Why['kind'], Style>> = { moves: 'good', waits: 'plain', stands: 'bad' };

const LANE_COLUMNS: readonly Column<LaneRow>[] = [
  {
    title: 'LANE',
    least: 8,
    cell: ({ lane }) =>
      lane.lane === QUEUE_LANE ? { text: '(no lane)', style: 'faint' } : { text: safe(lane.lane) },
  },
  {
    title: 'NEXT',
    align: 'right',
    leave: 2,
    cell: ({ lane }) => ({ text: lane.next === undefined ? '?' : String(lane.next) }),
  },
  { title: 'WAIT', align: 'right', cell: ({ lane }) => ({ text: String(lane.waiting) }) },
  { title: 'WHY', least: 12, cell: ({ why }) => ({ text: safe(why.text), style: WHY_STYLES[why.kind] }) },
];

const STANDING_STYLES: Readonly<Record<string, Style>> = {
  ready: 'good',
  behind: 'plain',
  delayed: 'plain',
  held: 'warning',
};

function waitingColumns(queue: SeenQueue, ids: ShortIds, nowMs: number): readonly Column<WaitingRow>[] {
  return [
    idColumn(ids, ({ key }) => key),
    {
      title: 'STATE',
      cell: ({ job }) => {
        const failed = job.standing.kind === 'held' && job.standing.failed !== undefined;
        const style = failed ? 'bad' : (STANDING_STYLES[job.standing.kind] ?? 'bad');
        return { text: statePhrase(job, nowMs), style };
      },
    },
    laneColumn(({ job }) => job.lane),
    right('NUMBER', 6, ({ job }) => numberOf(job)),
    right('PRIO', 8, ({ job }) => String(job.priority ?? '')),
    right('AGE', 5, ({ job }) => (job.addedMs === undefined ? '' : age(nowMs - job.addedMs))),
    right('TRIES', 7, ({ job }) => String(job.attempts)),
    paramsColumn(queue, ({ key }) => key),
  ];
}

function failedColumns(queue: SeenQueue, ids: ShortIds, nowMs: number): readonly Column<FailedRow>[] {
  return [
    idColumn(ids, ({ id }) => id),
    laneColumn(({ lane }) => lane),
    right('TRIES', 6, ({ attempts }) => String(attempts)),
    right('AGO', 5, ({ failure }) => (failure?.endedMs === undefined ? '' : age(nowMs - failure.endedMs))),
    {
      title: 'REASON',
      least: 12,
      fair: 28,
      cell: ({ failure, holds }) => ({
        text: `${safe(failure?.reason || '(not on record)')}${holds ? '; holds up its lane' : ''}`,
        style: 'bad',
      }),
    },
    paramsColumn(queue, ({ id }) => id),
  ];
}

function workerColumns(nowMs: number): readonly Column<WorkerRow>[] {
  return [
    {
      title: 'WORKER',
      least: 12,
      cell: ({ worker: { host, pid, name } }) => ({
        text: safe(pid === undefined ? name : `${host}:${pid}`),
      }),
    },
    {
      title: 'STATE',
      cell: ({ worker: { life } }) => ({ text: life, style: life === 'alive' ? 'good' : LIFE_STYLES[life] }),
    },
    right('FOR', 4, ({ worker: { startedMs } }) =>
      startedMs === undefined ? '' : duration(nowMs - startedMs),
    ),
    right('HEARD', 5, ({ worker: { beatMs } }) => (beatMs === undefined ? '' : age(nowMs - beatMs))),
    right('JOBS', 1, ({ jobs }) => String(jobs)),
  ];
}

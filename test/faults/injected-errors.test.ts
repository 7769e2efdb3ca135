/**
 * Every system call of the executable that touches a queue fails once, in each way it may fail; and at every one
 * of them the executable is killed once. It may not say it has done what it has not, must say in a plain sentence
 * what went wrong, and the next run must go on as if nothing had been.
 */

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { packet } from '../support/packets.ts';
import { useTemporary } from '../support/temporary.ts';
import { OURS, run, runWell } from './support/commands.ts';
import { lookInto } from './support/job-files.ts';
import { lacking } from './support/needs.ts';
import { type Hit, hitAt, type Point, pointsOf, type Target } from './support/strace.ts';

const ERRORS = ['EIO', 'ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EINTR'] as const;

/** Runs at a time. */
const AT_ONCE = 3;

/** Jobs in the queue that is processed. */
const JOBS = [1, 2, 3];

const PACKET_NUMBER = '5';

type Case = {
  readonly name: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly arrange: (directory: string) => void;
  /** Whether the command has had its effect. */
  readonly done: (directory: string, hit: Hit) => boolean;
  /** Nothing that was there before may be lost or doubled, whatever the exit status. */
  readonly unharmed: (directory: string) => void;
};

const CASES: readonly Case[] = [
  {
    name: 'queue-write',
    args: ['queue-write', '-q', '@/queue'],
    input: 'packet',
    arrange: (directory) => {
      queueIn(directory, []);
      runWell(OURS.path, ['prepare-set-next', '-s', `${directory}/sender`, PACKET_NUMBER]);
      const { stdout } = run(OURS.path, ['prepare', '-s', `${directory}/sender`]);
      writeFileSync(`${directory}/packet`, stdout);
    },
    done: (directory) => lookInto(`${directory}/queue`).jobs.length === 1,
    unharmed: (directory) => {
      const { jobs, damaged } = lookInto(`${directory}/queue`);
      expect(damaged).toEqual([]);
      expect(jobs.length).toBeLessThanOrEqual(1);
    },
  },
  {
    name: 'prepare',
    args: ['prepare', '-s', '@/sender'],
    arrange: (directory) => runWell(OURS.path, ['prepare-set-next', '-s', `${directory}/sender`, '5']),
    done: (directory) => senderNext(directory) === 6,
    unharmed: (directory) => expect([5, 6]).toContain(senderNext(directory)),
  },
  {
    name: 'queue-process',
    args: ['queue-process', '-q', '@/queue', 'sh', '--', '-c', 'echo $FSPL_SEQ >> history'],
    arrange: (directory) => queueIn(directory, JOBS),
    // A job file that cannot be read is said and stepped over, as the original does, with exit status 0.
    done: (directory, { stderr }) =>
      lookInto(`${directory}/queue`).next === JOBS.length + 1 || stderr.includes('it was stepped over'),
    unharmed: (directory) => {
      const { jobs, next = 0 } = lookInto(`${directory}/queue`);
      const ran = historyIn(directory);
      expect(next, 'a readable number').toBeGreaterThan(0);
      for (const seq of JOBS) {
        if (next > seq) expect(ran, `job ${seq} is past`).toContain(seq);
        else expect(jobs.map((job) => job.seq)).toContain(seq);
      }
    },
  },
  {
    name: 'queue-init',
    args: ['queue-init', '-q', '@/queue'],
    arrange: () => {},
    done: (directory) => existsSync(`${directory}/queue/jobs`) && lookInto(`${directory}/queue`).next === 1,
    unharmed: () => {},
  },
  {
    name: 'queue-set-next',
    args: ['queue-set-next', '-q', '@/queue', '7'],
    arrange: (directory) => queueIn(directory, []),
    done: (directory) => lookInto(`${directory}/queue`).next === 7,
    unharmed: (directory) => expect([1, 7]).toContain(lookInto(`${directory}/queue`).next),
  },
];

const reason = lacking({ tools: ['strace', 'sh'] });
const temporary = useTemporary();
let runs = 0;
const told: string[] = [];

describe.skipIf(reason !== undefined)(`injected${reason === undefined ? '' : ` (${reason})`}`, () => {
  afterAll(() => console.log(told.join('\n')));

  it.each(CASES)('$name: each call fails in each way', async (example) => {
    const points = await record(example);
    const plan = points.flatMap((point) => ERRORS.map((error) => ({ point, blow: `error=${error}` })));
    const outcomes = await inBatches(plan, ({ point, blow }) => failAt(example, point, blow));
    tell(example, 'errors', points, outcomes);
  });

  it.each(CASES.filter(({ name }) => name.startsWith('queue-')))(
    '$name: killed at each call',
    async (example) => {
      const points = await record(example);
      const outcomes = await inBatches(points, (point) => killAt(example, point));
      tell(example, 'kills', points, outcomes);
    },
  );
});

type Outcome = 'not hit' | 'clean failure' | 'done';

async function failAt(example: Case, point: Point, blow: string): Promise<Outcome> {
  const target = arrange(example);
  const { directory } = target;
  const result = await hitAt(target, point, blow);
  const { status, stderr } = result;
  return explained(`${blow} at ${point.call} ${point.target}: ${status} ${stderr}`, () => {
    if (status === 0) expect(example.done(directory, result), 'exit status 0, and it is done').toBe(true);
    else {
      expect(status, 'exit status').toBe(1);
      expect(stderr, 'a plain sentence').toMatch(/^Error: \S.*\S$/m);
      expect(stderr).not.toMatch(/^\s+at |undefined|\[object|panic/m);
    }
    example.unharmed(directory);
    if (status !== 0) goOn(example, target, result);
    return !result.hit ? 'not hit' : status === 0 ? 'done' : 'clean failure';
  });
}

async function killAt(example: Case, point: Point): Promise<Outcome> {
  const target = arrange(example);
  const result = await hitAt(target, point, 'signal=SIGKILL');
  return explained(`killed at ${point.call} ${point.target}: ${result.status}`, () => {
    example.unharmed(target.directory);
    if (result.status !== 0) goOn(example, target, result);
    return result.hit ? 'clean failure' : 'not hit';
  });
}

/** The same command again, and nothing in its way. */
function goOn(example: Case, { directory, program, args, input }: Target, before: Hit): void {
  if (example.name === 'queue-write' && example.done(directory, before)) {
    // In the queue, but its sender was not told: it runs. (A second queue-write would make it two with one number.)
    runWell(OURS.path, ['queue-set-next', '-q', `${directory}/queue`, PACKET_NUMBER]);
    runWell(OURS.path, ['queue-process', '-q', `${directory}/queue`, 'true']);
    expect(lookInto(`${directory}/queue`).jobs).toEqual([]);
    return;
  }
  // What a failed queue-init has made of a queue, it asks the user to remove.
  if (example.name === 'queue-init') rmSync(`${directory}/queue`, { recursive: true, force: true });
  const script = `cd "$0" && exec "$@" < ${input ?? '/dev/null'}`;
  const again = run('sh', ['-c', script, directory, program, ...args]);
  expect(again.status, `tried again: ${again.stderr}`).toBe(0);
  if (example.name === 'prepare') return;
  expect(example.done(directory, { ...again, hit: false }), 'done when tried again').toBe(true);
  example.unharmed(directory);
  if (example.name !== 'queue-process') return;
  const ran = historyIn(directory);
  expect([...new Set(ran)]).toEqual(JOBS);
  expect(ran).toEqual([...ran].sort((one, other) => one - other));
}

function queueIn(directory: string, jobs: readonly number[]): void {
  runWell(OURS.path, ['queue-init', '-q', `${directory}/queue`]);
  for (const seq of jobs) {
    writeFileSync(`${directory}/queue/jobs/fspl-${seq}.fspl`, packet({ seq, payload: `payload ${seq}\n` }));
  }
}

function historyIn(directory: string): number[] {
  if (!existsSync(`${directory}/history`)) return [];
  return readFileSync(`${directory}/history`, 'utf8').trim().split('\n').map(Number);
}

function senderNext(directory: string): number {
  return Number(readFileSync(`${directory}/sender`, 'utf8'));
}

/** What a case begins with is made once, and then copied. */
const models = new Map<Case, string>();

function arrange(example: Case): Target {
  let model = models.get(example);
  if (model === undefined || !existsSync(model)) {
    model = temporary.path(`model-${example.name}`);
    mkdirSync(model);
    example.arrange(model);
    models.set(example, model);
  }
  const directory = temporary.path(`run-${runs++}`);
  cpSync(model, directory, { recursive: true });
  const input = example.input === undefined ? undefined : `${directory}/${example.input}`;
  return {
    directory,
    program: OURS.path,
    args: example.args.map((word) => word.replace('@', directory)),
    input,
  };
}

async function record(example: Case): Promise<Point[]> {
  const target = arrange(example);
  const points = await pointsOf(target);
  expect(points.length).toBeGreaterThan(3);
  rmSync(target.directory, { recursive: true });
  return points;
}

async function inBatches<Item>(
  items: readonly Item[],
  attempt: (item: Item) => Promise<Outcome>,
): Promise<Outcome[]> {
  const left = [...items];
  const outcomes: Outcome[] = [];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) outcomes.push(await attempt(item));
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return outcomes;
}

function explained<Result>(what: string, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    throw new Error(what, { cause: error });
  }
}

function tell(example: Case, kind: string, points: readonly Point[], outcomes: readonly Outcome[]): void {
  const hits = outcomes.filter((outcome) => outcome !== 'not hit').length;
  const survived = outcomes.filter((outcome) => outcome === 'done').length;
  const numbers = `${points.length} calls, ${outcomes.length} ${kind}, ${hits} hit, ${survived} did not matter`;
  told.push(`  ${example.name}: ${numbers}`);
  expect(hits, 'most of the chosen calls were hit').toBeGreaterThan(outcomes.length / 2);
}

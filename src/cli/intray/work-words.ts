/** What a worker does, in words: failures always; on a terminal also how far it is. */

import type { NamedQueues } from '../../open/find.ts';
import { STDERR } from '../../os/ports.ts';
import { shellQuote } from '../../os/shell.ts';
import { formatSpan } from '../../os/span.ts';
import type { Job, Queue, Unreadable } from '../../queue/contract.ts';
import type { PoolReport } from '../../worker/pool.ts';
import type { RunEnd } from '../../worker/serve.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { type Colours, coloursFor, type Progress, progressFor } from '../terminal.ts';
import { lastLines, savedOutput } from './run-output.ts';
import { whyStalled } from './stalled-words.ts';
import type { WorkEnding } from './work-ending.ts';
import { type Teller, WorkProblems } from './work-problems.ts';
import { showProgress, Tally } from './work-progress.ts';

export type WordsOptions = {
  /** What commands say is kept in files, not shown. */
  readonly logged: boolean;
  /** Somebody is looking. */
  readonly terminal: boolean;
  /** There is a line that says how far we are. */
  readonly progress: boolean;
  readonly retries: number;
  readonly paramsAllowed: boolean;
  readonly watch: boolean;
};

const SHOWN_LINES = 5;
const SHOWN_WIDTH = 200;

export class WordsTeller extends WorkProblems implements Teller {
  readonly #context: Context;
  readonly #options: WordsOptions;
  readonly #tally: Tally;
  #progress: Progress | undefined;
  #colours: Colours | undefined;
  #saidParams = false;
  #saidNoEvents = false;
  #said: Promise<void> = Promise.resolve();

  constructor(context: Context, options: WordsOptions) {
    super();
    this.#context = context;
    this.#options = options;
    this.#tally = new Tally(context.machine.clock);
  }

  begin(queues: NamedQueues): () => Promise<void> {
    if (!this.#options.progress) return async () => this.#said;
    const { machine } = this.#context;
    const started = progressFor(machine).then((progress) => {
      this.#progress = progress;
      return showProgress(machine, progress, this.#tally, queues);
    });
    started.catch(() => {}); // told by whoever waits for it
    return async () => {
      await (await started)();
      this.#progress = undefined;
      await this.#said;
    };
  }

  started(job: Job, queue: Queue): void {
    this.workedAgain(queue);
    this.#tally.running += 1;
    const { work } = job;
    const leftOut = work.kind === 'command' && work.params.length > 0 && !this.#options.paramsAllowed;
    if (!leftOut || this.#saidParams) return;
    this.#saidParams = true;
    void this.#say(
      'warn',
      'the arguments that came with the jobs are left out; --allow-job-params adds them',
    );
  }

  async ended(job: Job, queue: Queue, end: RunEnd): Promise<void> {
    this.#tally.running -= 1;
    this.#tally.count(end.ran);
    const what = `${queue.location}: job ${job.id}`;
    if (end.ran === 'failed' || end.ran === 'again') {
      const sentence = `${what} failed: ${end.reason}${end.ran === 'again' ? this.#whatNext(end.attempt) : ''}`;
      const lines = [sentence, ...(await this.#outputOf(job, queue, end))];
      if (end.ran === 'failed' && this.#options.terminal) lines.push(retryHint(job, queue));
      await this.#say('error', lines.join('\n'));
    }
    if (end.ran === 'lost') {
      await this.#say(
        'warn',
        `${what} was given to another worker while it ran here; this run does not count`,
      );
    }
  }

  #whatNext(attempt: number): string {
    const { retries } = this.#options;
    const of = attempt <= retries ? ` (retry ${attempt} of ${retries})` : '';
    return `; it will be tried again${of}`;
  }

  async #outputOf(job: Job, queue: Queue, { ran, attempt }: RunEnd): Promise<string[]> {
    if (!this.#options.logged) return [];
    const colours = await this.#paint();
    const outputs = await savedOutput(this.#context.machine, queue, job, attempt);
    const [first] = outputs;
    if (first === undefined) return [];
    const lines = ran === 'failed' ? lastLines(first.text, SHOWN_LINES, SHOWN_WIDTH) : [];
    const paths = outputs.map(({ path }) => path).join(' and ');
    return [...lines.map((line) => `    ${colours.faint(line)}`), `  All that it said: ${paths}`];
  }

  async trouble(queue: Queue, error: unknown): Promise<void> {
    if (!this.isNewTrouble(queue, error)) return;
    const again = this.#options.watch ? '\nIt is tried again and again.' : '';
    await this.#say('error', `${sentenceOf(error)}${again}`);
  }

  unreadable(_: Queue, files: readonly Unreadable[]): void {
    for (const { path, message } of this.newlyUnreadable(files)) {
      void this.#say('warn', `${path}: ${message}; it was stepped over`);
    }
  }

  /** Of many queues on one file system, the first says it for all. */
  noEvents({ location }: Queue): void {
    if (this.#saidNoEvents) return;
    this.#saidNoEvents = true;
    void this.#say(
      'info',
      `no file events come from ${location}, so new jobs are looked for, five times a second`,
    );
  }

  notices(sentence: string): void {
    void this.#say('warn', sentence);
  }

  stopping(graceMs: number): void {
    const { running } = this.#tally;
    if (running === 0) return;
    const jobs = running === 1 ? '1 job is running and has' : `${running} jobs are running and have`;
    const again = this.#options.terminal ? '; Ctrl-C again ends at once' : '';
    void this.#say('info', `stopping: ${jobs} ${formatSpan(graceMs)} to finish${again}`);
  }

  async concluded({ counts, ended }: PoolReport, { ending, stalled }: WorkEnding): Promise<void> {
    for (const [queue, idle] of stalled) {
      // What somebody has asked for needs no mail from cron each minute.
      const asked = idle.reason === 'paused' || idle.reason === 'delayed';
      if (!asked || this.#options.terminal)
        await this.#say(asked ? 'info' : 'warn', whyStalled(this.#context.machine.clock, queue, idle));
    }
    if (counts['given-back'] > 0) {
      const jobs = counts['given-back'] === 1 ? '1 job was' : `${counts['given-back']} jobs were`;
      await this.#say('info', `${jobs} ended and put back, to be run again`);
    }
    if (!this.#options.terminal) return;
    const { good, bad, faint } = await this.#paint();
    if (ending === 'idle') return this.#context.complain(`${faint('There was nothing to do.')}\n`);
    const parts = [good(`${counts.succeeded} ${counts.succeeded === 1 ? 'job' : 'jobs'} done`)];
    if (counts.failed > 0) parts.push(bad(`${counts.failed} failed`));
    if (counts.again > 0) parts.push(`${counts.again} ${counts.again === 1 ? 'retry' : 'retries'}`);
    await this.#context.complain(`${parts.join(', ')}, in ${formatSpan(this.#tally.elapsedMs)}\n`);
    if (this.#options.logged && counts.succeeded > 0 && counts.failed === 0 && ended !== 'stopped') {
      await this.#context.complain(
        `${faint('What they said was not kept: --output inherit shows it, --keep keeps it.')}\n`,
      );
    }
  }

  async #paint(): Promise<Colours> {
    this.#colours ??= await coloursFor(this.#context.machine, STDERR);
    return this.#colours;
  }

  #say(level: 'info' | 'warn' | 'error', text: string): Promise<void> {
    this.#said = this.#said.then(async () => {
      await this.#progress?.clear();
      await this.#context.log(level, text);
    });
    this.#said.catch(() => {}); // told by the next that waits for it
    return this.#said;
  }
}

/** Of a UUID so much as nobody else's begins with. */
const UUID_BEGINNING = /^[0-9a-f]{8}(?=(-[0-9a-f]{4}){3}-[0-9a-f]{12}$)/;

function retryHint(job: Job, queue: Queue): string {
  const id = UUID_BEGINNING.exec(job.id)?.[0] ?? job.id;
  return `  To run it again: intray retry ${shellQuote(queue.location)} ${shellQuote(id)}`;
}

/**
 * kill -9 on senders and processors, hundreds of times, at moments nobody has chosen well. Senders share one
 * sequence file, processors one queue; what the jobs did is in a history that they write themselves.
 *
 * A `prepare` that is killed after it has taken its number leaves a gap. The storm rests now and then, and gaps are
 * filled with jobs that do nothing, as the guide says.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventually, useTemporary } from '../support/temporary.ts';
import { type Chance, chance, pauseMs } from './support/chance.ts';
import { OURS, run, runWell } from './support/commands.ts';
import { lookInto } from './support/job-files.ts';
import { LONGER, lacking } from './support/needs.ts';
import { childrenOf, living, membersOf, signal, spawnGroup } from './support/storm.ts';
import { readHistory, STORM_COMMAND } from './support/storm-command.ts';

const KILLS = 500 * LONGER;
const SENDERS = 3;
const PROCESSORS = 2;

/** Kills between two rests of the storm. */
const KILLS_PER_GUST = 12;
const PAYLOAD_LINES = 2000;

const reason = lacking({ tools: ['bash', 'sleep'] });
const temporary = useTemporary();

describe.skipIf(reason !== undefined)(
  `kill -9 at any moment${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    it('loses no job, keeps the order, and runs none twice at once', {
      timeout: 600_000 * LONGER,
    }, async () => {
      const random = chance();
      const storm = new Storm(temporary.path(), random);
      try {
        while (storm.kills < KILLS) {
          await storm.gust(KILLS_PER_GUST);
          storm.fillGaps();
        }
        await storm.heal();
      } finally {
        console.log(`kill storm, seed ${random.seed}: ${JSON.stringify(storm.counts())}`);
      }
      const { problems, runs } = storm.judge();
      expect(problems, `seed ${random.seed}`).toEqual([]);
      expect(runs).toBeGreaterThan(KILLS / 10);
      await eventually(() => {
        expect(living().filter(({ command }) => command.includes(temporary.path()))).toEqual([]);
      });
    });
  },
);

class Storm {
  readonly queue: string;
  readonly accepted = new Set<string>();
  kills = 0;
  readonly #directory: string;
  readonly #random: Chance;
  readonly #sender: string;
  #blowing = false;
  #untilRest = 0;
  #sent = 0;
  #gaps = 0;
  readonly #killed = { senders: 0, processors: 0, commands: 0 };
  readonly #complaints = new Set<string>();

  constructor(directory: string, random: Chance) {
    this.#directory = directory;
    this.#random = random;
    this.queue = `${directory}/queue`;
    this.#sender = `${directory}/sender`;
    mkdirSync(`${directory}/payloads`);
    writeFileSync(`${directory}/job.sh`, STORM_COMMAND, { mode: 0o755 });
    writeFileSync(`${directory}/history`, '');
    writeFileSync(`${directory}/current`, '0 0\n');
    runWell(OURS.path, ['queue-init', '-q', this.queue]);
  }

  /** Lets everything run until so many more have been killed, and then until the senders are done. */
  async gust(kills: number): Promise<void> {
    this.#untilRest = this.kills + kills;
    this.#blowing = true;
    const all = [
      ...Array.from({ length: SENDERS }, () => this.#send()),
      ...Array.from({ length: PROCESSORS }, () => this.#process()),
    ];
    await Promise.all(all);
  }

  async #send(): Promise<void> {
    while (this.#blowing) {
      const id = `job-${this.#sent++}`;
      const payload = `${this.#directory}/payloads/${id}`;
      writeFileSync(payload, `${id}\n${`line of ${id}\n`.repeat(PAYLOAD_LINES)}last ${id}\n`);
      const line = '"$0" prepare -s "$1" -i "$2" | "$0" queue-write -q "$3"';
      const args = ['-c', line, OURS.path, this.#sender, payload, this.queue];
      const pipeline = spawnGroup('bash', args, process.env);
      if (this.#random.next() < 0.3) {
        await this.#race(pipeline.ended, this.#random.between(1, 40));
        const members = childrenOf(pipeline.pid);
        const victim = members[this.#random.between(0, members.length)];
        // One of the two, or all.
        if (signal(victim?.pid ?? -pipeline.pid, 'SIGKILL')) this.#count('senders');
      }
      const { code, stderr } = await pipeline.ended;
      if (code === 0) this.accepted.add(id);
      else if (/^\s+at |undefined|panic/m.test(stderr)) this.#complaints.add(stderr);
      // The rest of a pipeline whose shell was killed.
      if (code === null) await eventually(() => expect(membersOf(pipeline.pid)).toEqual([]));
    }
  }

  async #process(): Promise<void> {
    while (this.#blowing) {
      const args = ['queue-process', '-q', this.queue, `${this.#directory}/job.sh`, '--', this.#directory];
      const processor = spawnGroup(OURS.path, args, process.env);
      await this.#race(processor.ended, this.#random.between(10, 70));
      const command = childrenOf(processor.pid).find(({ command: text }) => text.includes('job.sh'));
      if (command !== undefined && this.#random.next() < 0.3) {
        if (signal(command.pid, 'SIGKILL')) this.#count('commands');
      } else if (signal(processor.pid, 'SIGKILL')) this.#count('processors');
      await processor.ended;
    }
  }

  #count(kind: 'senders' | 'processors' | 'commands'): void {
    this.#killed[kind] += 1;
    this.kills += 1;
    if (this.kills >= this.#untilRest) this.#blowing = false;
  }

  async #race(ended: Promise<unknown>, ms: number): Promise<void> {
    await Promise.race([ended, pauseMs(ms)]);
  }

  /** While no sender is at work, every number that was given out and is not there is a gap. */
  fillGaps(): void {
    const end = Number(runWell(OURS.path, ['prepare-get-next', '-s', this.#sender]));
    const { jobs, next = 0 } = lookInto(this.queue);
    const there = new Set(jobs.map(({ seq }) => seq));
    const filler = `${this.#directory}/filler`;
    for (let seq = next; seq < end; seq++) {
      if (there.has(seq) || this.#isPast(seq)) continue;
      runWell(OURS.path, ['prepare-set-next', '-s', filler, String(seq)]);
      const { stdout } = run(OURS.path, ['prepare-nop', '-s', filler]);
      runWell(OURS.path, ['queue-write', '-q', this.queue], stdout);
      this.#gaps += 1;
    }
  }

  /** A watchdog may still hold the queue's lock, but no number moves under it. */
  #isPast(seq: number): boolean {
    return (lookInto(this.queue).next ?? 0) > seq;
  }

  async heal(): Promise<void> {
    const args = ['queue-process', '-q', this.queue, `${this.#directory}/job.sh`, '--', this.#directory];
    await eventually(() => runWell(OURS.path, args));
  }

  judge(): { problems: string[]; runs: number } {
    const lines = readHistory(readFileSync(`${this.#directory}/history`, 'utf8'));
    const problems = lines
      .filter(({ kind }) => kind === 'overlap' || kind === 'torn')
      .map(({ kind, seq }) => `${kind} at ${seq}`);
    const ended = new Set(lines.filter(({ kind }) => kind === 'end').map(({ id }) => id));
    for (const id of this.accepted) if (!ended.has(id)) problems.push(`accepted and never run: ${id}`);
    const { jobs, next = 0 } = lookInto(this.queue);
    for (const { seq } of jobs) if (seq >= next) problems.push(`${seq} is still waiting`);
    const starts = lines.filter(({ kind }) => kind === 'start');
    for (const [at, { seq }] of starts.entries()) {
      const before = starts[at - 1]?.seq ?? 0;
      if (seq < before) problems.push(`${seq} ran after ${before}`);
    }
    const reruns = starts.length - new Set(starts.map(({ seq }) => seq)).size;
    if (reruns > this.kills) problems.push(`${reruns} runs more than jobs, with ${this.kills} kills`);
    for (const text of this.#complaints) problems.push(`not a plain sentence: ${text}`);
    return { problems, runs: starts.length };
  }

  counts() {
    const lines = readHistory(readFileSync(`${this.#directory}/history`, 'utf8'));
    const starts = lines.filter(({ kind }) => kind === 'start');
    return {
      kills: this.kills,
      ...this.#killed,
      sent: this.#sent,
      accepted: this.accepted.size,
      runs: starts.length,
      runAgain: starts.length - new Set(starts.map(({ seq }) => seq)).size,
      gapsFilled: this.#gaps,
      /** Killed after the number was written and before the file was removed. */
      finishedFilesLeft: lookInto(this.queue).jobs.length,
    };
  }
}

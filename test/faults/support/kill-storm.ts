/** Senders that share one sequence file, and processors that share one queue, killed again and again. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { eventually } from '../../support/temporary.ts';
import { type Chance, pauseMs } from './chance.ts';
import { OURS, run, runWell } from './commands.ts';
import { lookInto } from './job-files.ts';
import { childrenOf, membersOf, type Site, type StormPlace, signal, siteOf } from './storm.ts';
import { readHistory, STORM_COMMAND } from './storm-command.ts';

const SENDERS = 3;
const PROCESSORS = 2;

/** Kills between two rests of the storm. */
const KILLS_PER_GUST = 12;
const PAYLOAD_LINES = 2000;

export class KillStorm {
  readonly queue: string;
  readonly accepted = new Set<string>();
  kills = 0;
  readonly #place: StormPlace;
  readonly #random: Chance;
  readonly #sender: string;
  #blowing = false;
  #untilRest = 0;
  #sent = 0;
  #gaps = 0;
  readonly #killed = { senders: 0, processors: 0, commands: 0 };
  readonly #complaints = new Set<string>();

  constructor(place: StormPlace, random: Chance) {
    this.#place = place;
    this.#random = random;
    this.queue = `${place.here}/queue`;
    this.#sender = `${place.here}/sender`;
    mkdirSync(`${place.notes}/payloads`);
    writeFileSync(`${place.notes}/job.sh`, STORM_COMMAND, { mode: 0o755 });
    writeFileSync(`${place.notes}/history`, '');
    runWell(OURS.path, ['queue-init', '-q', this.queue]);
  }

  /** So many kills, and then all that has been accepted is run. */
  async blow(kills: number): Promise<void> {
    while (this.kills < kills) {
      await this.#gust(Math.min(KILLS_PER_GUST, kills - this.kills));
      this.#fillGaps();
    }
    await this.#heal();
  }

  /** Lets everything run until so many more have been killed, and then until the senders are done. */
  async #gust(kills: number): Promise<void> {
    this.#untilRest = this.kills + kills;
    this.#blowing = true;
    const all = [
      ...Array.from({ length: SENDERS }, (_, n) => this.#send(siteOf(this.#place, n))),
      ...Array.from({ length: PROCESSORS }, (_, n) => this.#process(siteOf(this.#place, n))),
    ];
    await Promise.all(all);
  }

  async #send(site: Site): Promise<void> {
    const { there } = this.#place;
    while (this.#blowing) {
      const id = `job-${this.#sent++}`;
      const payload = `${this.#place.notes}/payloads/${id}`;
      writeFileSync(payload, `${id}\n${`line of ${id}\n`.repeat(PAYLOAD_LINES)}last ${id}\n`);
      const line = '"$0" prepare -s "$1" -i "$2" | "$0" queue-write -q "$3"';
      const args = ['-c', line, OURS.path, `${there}/sender`, payload, `${there}/queue`];
      const pipeline = await site.start('bash', args);
      if (this.#random.next() < 0.3) {
        await this.#race(pipeline.ended, this.#random.between(1, 40));
        const members = childrenOf(pipeline.pid);
        const victim = members[this.#random.between(0, members.length)];
        // One of the two, or all.
        if (signal(victim?.pid ?? -pipeline.group, 'SIGKILL')) this.#count('senders');
      }
      const { code, stderr } = await pipeline.ended;
      if (code === 0) this.accepted.add(id);
      else if (/^\s+at |undefined|panic/m.test(stderr)) this.#complaints.add(stderr);
      // The rest of a pipeline whose shell was killed.
      if (code === null) await eventually(() => expect(membersOf(pipeline.group)).toEqual([]));
    }
  }

  async #process(site: Site): Promise<void> {
    while (this.#blowing) {
      const processor = await site.start(OURS.path, this.#processing(this.#place.there));
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
    await Promise.race([ended, pauseMs(ms * this.#place.slowness)]);
  }

  /** While no sender is at work, every number that was given out and is not there is a gap. */
  #fillGaps(): void {
    const end = Number(runWell(OURS.path, ['prepare-get-next', '-s', this.#sender]));
    const { jobs, next = 0 } = lookInto(this.queue);
    const there = new Set(jobs.map(({ seq }) => seq));
    const filler = `${this.#place.notes}/filler`;
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

  async #heal(): Promise<void> {
    await eventually(() => runWell(OURS.path, this.#processing(this.#place.here)));
  }

  #processing(directory: string): string[] {
    const { notes } = this.#place;
    return ['queue-process', '-q', `${directory}/queue`, `${notes}/job.sh`, '--', notes];
  }

  judge(): { problems: string[]; runs: number } {
    const lines = readHistory(readFileSync(`${this.#place.notes}/history`, 'utf8'));
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
    const lines = readHistory(readFileSync(`${this.#place.notes}/history`, 'utf8'));
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

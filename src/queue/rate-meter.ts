/**
 * How many jobs a second are over, from pictures alone. Nobody counts them: a job that succeeds leaves nothing behind. So a
 * job that was there and is no more, or is with the failed ones now, has come to its end since. One that came and went
 * between two looks is not seen.
 */

type Sample = { readonly atMs: number; readonly over: number };

/** Less says nothing. */
const LEAST_SPAN_MS = 900;
const KEPT_MS = 60_000;

export class RateMeter {
  /** The jobs of the last look, and the look that saw them last. */
  readonly #seen = new Map<string, number>();
  #looks = 0;
  #over = 0;
  readonly #samples: Sample[] = [];

  /** All jobs that wait or run, in any number of lists; `atMs` by a clock that never goes back. */
  look(atMs: number, ...lists: readonly (readonly { readonly id: string }[])[]): void {
    this.#looks += 1;
    for (const jobs of lists) for (const { id } of jobs) this.#seen.set(id, this.#looks);
    for (const [id, look] of this.#seen) {
      if (look === this.#looks) continue;
      this.#over += 1;
      this.#seen.delete(id);
    }
    this.#samples.push({ atMs, over: this.#over });
    // One that is older than the longest span stays, as its beginning.
    while ((this.#samples[1]?.atMs ?? atMs) <= atMs - KEPT_MS) this.#samples.shift();
  }

  /** Jobs a second in the last `spanMs`, or since the first look; undefined when that is too short. */
  rate(spanMs: number): number | undefined {
    const last = this.#samples.at(-1);
    if (last === undefined) return undefined;
    const from = this.#samples.findLast(({ atMs }) => atMs <= last.atMs - spanMs) ?? this.#samples[0] ?? last;
    const passedMs = last.atMs - from.atMs;
    return passedMs < LEAST_SPAN_MS ? undefined : ((last.over - from.over) / passedMs) * 1000;
  }
}

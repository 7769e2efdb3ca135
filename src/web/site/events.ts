/** Server-sent events: that there is news, and nothing else. What it is, the page says when it is asked for again. */

import type { Bell } from '../../os/bell.ts';
import type { Clock } from '../../os/ports.ts';
import type { Looks } from './looks.ts';

/** So long nobody looks after a look while somebody watches, or, after a long one, half as long as it took. */
const INTERVAL_MS = 250;
/** Ages change though nothing happens; and whoever has gone is noticed when something is written to him. */
const LONGEST_SILENCE_MS = 10_000;

/** Ends when `bell` is rung. */
export async function* newsOf(
  clock: Clock,
  looks: Looks,
  bell: Pick<Bell, 'wait'>,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode('retry: 2000\n\n');
  let told = 0;
  let toldMs = clock.monotonicMs();
  for (;;) {
    const { version, tookMs } = await looks.fresh(INTERVAL_MS / 2);
    const nowMs = clock.monotonicMs();
    if (version !== told || nowMs - toldMs >= LONGEST_SILENCE_MS) {
      yield encoder.encode(`event: news\ndata: ${version}\n\n`);
      told = version;
      toldMs = nowMs;
    }
    if (await bell.wait(Math.max(INTERVAL_MS, tookMs / 2))) return;
  }
}

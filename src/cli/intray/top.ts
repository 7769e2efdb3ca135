/** `intray top`: queues, lanes, workers and jobs as they are now, again and again. */

import { namedQueues } from '../../open/find.ts';
import { politeMachine } from '../../os/polite.ts';
import { type Machine, STDOUT } from '../../os/ports.ts';
import type { Context } from '../context.ts';
import { untilStopped } from '../stop-signals.ts';
import { exitStatus } from './exit-codes.ts';
import type { Decoded, InQueue } from './looking.ts';
import { frame } from './top/frame.ts';
import { momentOf, showLive } from './top/live.ts';
import { Looker } from './top/look.ts';
import { type Palette, paint } from './top/paint.ts';
import { startState, withBestSection } from './top/state.ts';

type Top = InQueue &
  Decoded & {
    readonly more: readonly string[];
    readonly options: { readonly once: boolean; readonly interval: number | undefined };
  };

const DEFAULT_INTERVAL_MS = 2000;

export async function top(context: Context, args: Top): Promise<number> {
  const { machine, print } = context;
  const { once, interval: intervalMs = DEFAULT_INTERVAL_MS } = args.options;
  const polite = politeMachine(machine);
  const queues = await namedQueues(polite, [args.operand, ...args.more], { mayCome: false });
  const names = (await queues.find()).map(({ location }) => location);
  // One that may get company is listed.
  const start = startState(queues.changing ? [] : names);
  const looker = new Looker(polite, queues, args.options.decoder);
  const palette = await paletteOf(machine);
  const ending = await untilStopped(machine, async (stop) => {
    const first = looker.look({ queue: start.queue, filter: '' });
    const picture = await Promise.race([first, stopped(stop)]);
    if (picture === undefined) return 'stopped';
    const state = withBestSection(start, picture);
    if (!once && palette !== 'plain') {
      const shown = await showLive(machine, { looker, intervalMs, palette, stop, picture, state });
      if (shown !== undefined) return shown;
    }
    const columns = (await machine.host.terminalColumns?.()) ?? Number.POSITIVE_INFINITY;
    const size = { columns, rows: Number.POSITIVE_INFINITY };
    const lines = frame(picture, size, state, momentOf(machine, intervalMs));
    await print(lines.map((line) => `${paint(line, palette)}\n`).join(''));
    return 'quit';
  });
  if (ending === 'interrupt') machine.host.dieOf('SIGINT');
  return exitStatus('done');
}

async function paletteOf({ host }: Machine): Promise<Palette> {
  const env = host.env();
  if (env.get('TERM') === 'dumb' || !(await host.isTerminal(STDOUT))) return 'plain';
  return (env.get('NO_COLOR') ?? '') === '' ? 'colour' : 'no-colour';
}

function stopped(stop: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve(undefined);
    stop.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

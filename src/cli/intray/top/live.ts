/**
 * The live screen: keys, looks and the clock wake one loop, and only the loop draws.
 *
 *     keys typed ------> state ----+
 *     a look is over --> picture --+--> frame --> what has changed --> terminal
 *     a second passed -------------+
 */

import { encodeBytes } from '../../../os/bytes.ts';
import { formatLocal, fromMs, toMs } from '../../../os/calendar.ts';
import { type Machine, type Screen, type ScreenListener, STDOUT } from '../../../os/ports.ts';
import { reasonOf } from '../../../queue/errors.ts';
import { actOn } from './act.ts';
import { frame, type Moment } from './frame.ts';
import { type Key, KeyReader } from './keys.ts';
import { firstLine, type Looker } from './look.ts';
import { Painter, type Palette } from './paint.ts';
import type { Picture } from './picture.ts';
import { type Effect, react, type State } from './state.ts';

/** How long the rest of a key's sequence may take to come. */
const SEQUENCE_MS = 50;
/** How often is drawn when nothing happens: what runs gets older. */
const TICK_MS = 1000;
/** A look may take this part of the time, so that a large queue is not looked at without end. */
const SHARE_OF_TIME = 0.5;

export type Ending = 'quit' | 'interrupt' | 'gone' | 'stopped';

export type LiveOptions = {
  readonly looker: Looker;
  readonly intervalMs: number;
  readonly palette: Palette;
  readonly stop: AbortSignal;
  /** What has been seen already. */
  readonly picture: Picture;
  readonly state: State;
};

/** Undefined when there is no terminal to take. */
export async function showLive(machine: Machine, options: LiveOptions): Promise<Ending | undefined> {
  const live = new Live(machine, options);
  const screen = await machine.host.openScreen?.(live.listener);
  if (screen === undefined) return undefined;
  try {
    return await live.run(screen);
  } finally {
    screen.close();
  }
}

class Live {
  readonly listener: ScreenListener = {
    onInput: (text) => {
      this.#keys.push(...this.#reader.read(text));
      this.#sequence();
      if (this.#reader.waits)
        this.#sequence = this.#machine.clock.after(SEQUENCE_MS, () => {
          this.#keys.push(...this.#reader.rest());
          this.#wake();
        });
      this.#wake();
    },
    onRedraw: () => {
      this.#painter.forget();
      this.#wake();
    },
    onGone: () => this.#end('gone'),
  };
  readonly #machine: Machine;
  readonly #options: LiveOptions;
  readonly #painter: Painter;
  readonly #reader = new KeyReader();
  readonly #keys: Key[] = [];
  #state: State;
  #picture: Picture;
  #ending: Ending | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  /** Ends waiting for what would wake us. */
  #wake = () => {};
  #sequence = () => {};
  #nextLook = () => {};
  #tick = () => {};

  constructor(machine: Machine, options: LiveOptions) {
    this.#machine = machine;
    this.#options = options;
    this.#painter = new Painter(options.palette);
    this.#state = options.state;
    this.#picture = options.picture;
  }

  async run(screen: Screen): Promise<Ending> {
    const { stop } = this.#options;
    const onStop = () => this.#end('stopped');
    stop.addEventListener('abort', onStop);
    if (stop.aborted) onStop();
    this.#lookLater(this.#options.intervalMs);
    this.#ticking();
    try {
      while (this.#ending === undefined) {
        // Before we draw, so that what happens meanwhile is not missed.
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        for (const key of this.#keys.splice(0)) await this.#press(key, screen);
        if (this.#ending !== undefined) break;
        await this.#draw(screen);
        if (this.#keys.length === 0) await woken;
      }
      return this.#ending;
    } finally {
      stop.removeEventListener('abort', onStop);
      for (const cancel of [this.#sequence, this.#nextLook, this.#tick]) cancel();
      await this.#looking;
      this.#nextLook();
    }
  }

  #end(how: Ending): void {
    this.#ending ??= how;
    this.#wake();
  }

  async #press(key: Key, screen: Screen): Promise<void> {
    const { state, effect } = react(this.#state, key, this.#picture, this.#nowMs());
    this.#state = state;
    if (effect !== undefined) await this.#do(effect, screen);
  }

  async #do(effect: Effect, screen: Screen): Promise<void> {
    switch (effect.kind) {
      case 'quit':
        return this.#end('quit');
      case 'interrupt':
        return this.#end('interrupt');
      case 'suspend':
        return screen.suspend();
      case 'redraw':
        return this.#painter.forget();
      case 'look':
        // What the files of single jobs say is there at once; what has changed since the last look, a little later.
        this.#picture = await this.#options.looker.detail(this.#picture, this.#focus());
        return this.#look();
      case 'act':
        this.#state = { ...this.#state, notice: await actOn(this.#machine, effect.act) };
        return this.#look();
    }
  }

  async #draw(screen: Screen): Promise<void> {
    if (!screen.isOurs) return;
    const size = screen.size();
    const lines = frame(this.#picture, size, this.#state, momentOf(this.#machine, this.#options.intervalMs));
    const text = this.#painter.update(lines, size.columns);
    if (text !== '') await this.#machine.files.write(STDOUT, encodeBytes(text));
  }

  #focus() {
    return { queue: this.#state.queue, filter: this.#state.filters.queue };
  }

  #lookLater(ms: number): void {
    this.#nextLook();
    this.#nextLook = this.#machine.clock.after(ms, () => this.#look());
  }

  /** At once, or right after the look that is under way. */
  #look(): void {
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    this.#nextLook();
    this.#looking = this.#lookOnce();
  }

  async #lookOnce(): Promise<void> {
    const { clock } = this.#machine;
    const begunMs = clock.monotonicMs();
    try {
      this.#picture = await this.#options.looker.look(this.#focus());
    } catch (error) {
      this.#picture = { ...this.#picture, problem: firstLine(reasonOf(error)) };
    }
    this.#looking = undefined;
    if (this.#ending !== undefined) return;
    this.#wake();
    const tookMs = clock.monotonicMs() - begunMs;
    const restMs = Math.max(this.#options.intervalMs - tookMs, tookMs / SHARE_OF_TIME - tookMs);
    this.#lookLater(this.#lookAgain ? 0 : restMs);
    this.#lookAgain = false;
  }

  #ticking(): void {
    this.#tick = this.#machine.clock.after(TICK_MS, () => {
      this.#wake();
      this.#ticking();
    });
  }

  #nowMs(): number {
    return toMs(this.#machine.clock.now());
  }
}

/** Now, for what is drawn. */
export function momentOf({ clock }: Machine, intervalMs: number): Moment {
  return {
    nowMs: toMs(clock.now()),
    intervalMs,
    clock: (ms) => {
      const at = fromMs(ms);
      return formatLocal(at, clock.utcOffsetSeconds(at)).slice(11, 19);
    },
  };
}

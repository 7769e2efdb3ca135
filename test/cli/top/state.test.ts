import { describe, expect, it } from 'vitest';
import type { Key } from '../../../src/cli/intray/top/keys.ts';
import type { Picture } from '../../../src/cli/intray/top/picture.ts';
import { type Effect, react, type State, startState } from '../../../src/cli/intray/top/state.ts';
import {
  aWorker,
  failedJob,
  NOW_MS,
  picture,
  runningJob,
  seenQueue,
  waitingJob,
} from '../../support/pictures.ts';

const failed = ['f2', 'f1'].map(failedJob);
const PICTURE = picture(
  seenQueue('/q/a'),
  seenQueue('/q/b', {
    running: [runningJob('r1', aWorker()), runningJob('r2', aWorker())],
    waiting: [waitingJob('w1'), waitingJob('w2')],
    failed,
  }),
  seenQueue('/q/c', { paused: true }),
);

type Pressed = { readonly state: State; readonly effects: readonly Effect[] };

/** Words are keys of that name, and others what is typed. */
function press(keys: string, from: State = startState([]), seen: Picture = PICTURE): Pressed {
  const effects: Effect[] = [];
  let state = from;
  for (const word of keys.split(' ')) {
    const all: Key[] = /^(up|down|enter|escape|tab|back-tab|backspace|ctrl-.|home|end|page-.*)$/.test(word)
      ? [word as Key]
      : [...word].map((character) => ({ character }));
    for (const key of all) {
      const reaction = react(state, key, seen, NOW_MS);
      state = reaction.state;
      if (reaction.effect !== undefined) effects.push(reaction.effect);
    }
  }
  return { state, effects };
}

const chosen = (keys: string, list: keyof State['choices']) => press(keys).state.choices[list].key;

describe('choosing', () => {
  it.each([
    ['down', '/q/b'],
    ['j j', '/q/c'],
    ['j j j j', '/q/c'],
    ['j k k k', '/q/a'],
    ['G', '/q/c'],
    ['G g', '/q/a'],
    ['end home down', '/q/b'],
    ['page-down', '/q/c'],
  ])('with %s comes to %s', (keys, queue) => {
    expect(chosen(keys, 'overview')).toBe(queue);
  });

  it('keeps to the row when others come before it', () => {
    const { state } = press('j');
    const more = picture(seenQueue('/q/0'), seenQueue('/q/1'), ...PICTURE.queues);
    expect(press('j', state, more).state.choices.overview).toEqual({ key: '/q/c', at: 4 });
  });

  it('stays at its place when the row is gone', () => {
    const { state } = press('j');
    const less = picture(...PICTURE.queues.filter(({ name }) => name !== '/q/b'));
    expect(press('enter', state, less).state.queue).toBe('/q/c');
  });
});

describe('a queue', () => {
  it('that is alone is shown at once', () => {
    expect(startState(['/q']).queue).toBe('/q');
    expect(startState(['/q', '/r']).queue).toBeUndefined();
  });

  it('is opened with Enter and left with Escape, and its row stays chosen', () => {
    const opened = press('j enter');
    expect(opened.state).toMatchObject({ queue: '/q/b', section: 'running' });
    expect(opened.effects).toEqual([{ kind: 'look' }]);
    const left = press('escape', opened.state);
    expect(left.state.queue).toBeUndefined();
    expect(left.state.choices.overview.key).toBe('/q/b');
  });

  it.each([
    ['tab', 'lanes'],
    ['l l', 'waiting'],
    ['back-tab', 'workers'],
    ['h h', 'failed'],
    ['3', 'waiting'],
    ['9', 'running'],
  ])('shows other lists: %s', (keys, section) => {
    expect(press(`j enter ${keys}`).state.section).toBe(section);
  });
});

describe('the filter', () => {
  it('takes what is typed, commands too, until Enter', () => {
    const { state, effects } = press('/ qpc backspace backspace /b enter');
    expect(state.filters.overview).toBe('q/b');
    expect(state.typing).toBe(false);
    expect(effects).toEqual([{ kind: 'look' }]);
    expect(press('enter', state).state.queue).toBe('/q/b');
  });

  it('is dropped with Escape, while it is typed and later', () => {
    expect(press('/ abc escape').state).toMatchObject({ typing: false, filters: { overview: '' } });
    expect(press('/ abc enter escape').state.filters.overview).toBe('');
  });

  it('of a queue is another one', () => {
    const { state } = press('j enter / w enter');
    expect(state.filters).toEqual({ overview: '', queue: 'w' });
    expect(press('escape escape', state).state).toMatchObject({ queue: undefined });
  });
});

describe('what is done', () => {
  it('is done only after yes', () => {
    const asked = press('p');
    expect(asked.state.question?.text).toBe('Pause /q/a, so that no job starts?');
    expect(asked.effects).toEqual([]);
    expect(press('y', asked.state).effects).toEqual([{ kind: 'act', act: { kind: 'pause', queue: '/q/a' } }]);
    for (const no of ['n', 'q', 'enter', 'escape', 'p']) {
      const { state, effects } = press(no, asked.state);
      expect([no, state.question, effects]).toEqual([no, undefined, []]);
    }
  });

  it('to a paused queue is to let jobs start again', () => {
    expect(press('G p y').effects).toEqual([{ kind: 'act', act: { kind: 'resume', queue: '/q/c' } }]);
  });

  it('to a failed job is to run it again: the one that was chosen, whatever comes', () => {
    const asked = press('j enter 4 j r');
    expect(asked.state.question?.text).toBe('Run job f2 again?');
    expect(press('y', asked.state, picture()).effects).toEqual([
      { kind: 'act', act: { kind: 'retry', queue: '/q/b', id: 'f2' } },
    ]);
  });

  it('to a job that has not failed is nothing', () => {
    const { state } = press('j enter r');
    expect(state.question).toBeUndefined();
    expect(state.notice).toMatch(/^Choose one of the failed jobs/);
    expect(press('j', state).state.notice).toBeUndefined();
  });
});

describe('keys for all', () => {
  it.each<[string, Effect['kind']]>([
    ['q', 'quit'],
    ['ctrl-c', 'interrupt'],
    ['ctrl-z', 'suspend'],
    ['ctrl-l', 'redraw'],
    ['p ctrl-c', 'interrupt'],
    ['/ ctrl-z', 'suspend'],
    ['? q', 'quit'],
  ])('%s', (keys, effect) => {
    expect(press(keys).effects).toEqual([{ kind: effect }]);
  });

  it('help ends with any key', () => {
    expect(press('?').state.help).toBe(true);
    expect(press('? j').state).toMatchObject({ help: false, choices: { overview: { key: undefined } } });
  });
});

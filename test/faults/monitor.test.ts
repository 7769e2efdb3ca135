/**
 * A day of a Monitor: a small site is deployed, pictures are converted, people send messages, things go wrong, and the
 * Monitor is killed with -9. Nothing is lost, nothing is run twice, and each unit of work lies where it belongs.
 */

import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INTRAY } from '../support/intray-cli.ts';
import { makeRoot, type TestRoot, unitText } from '../support/roots.ts';
import { eventually, isRunning, useTemporary } from '../support/temporary.ts';
import { type Chance, chance, pauseMs } from './support/chance.ts';
import { LONGER, lacking } from './support/needs.ts';
import { type Spawned, signal, spawnGroup } from './support/storm.ts';

const temporary = useTemporary();
const reason = lacking({ tools: ['awk', 'cp'] });

/** Notes its start and its end, so that a second run would be seen. */
const DEPLOY = `#!/bin/sh
echo "start $UOW_NAME" >> "$HISTORY"
printf '\\033[1mdeploying %s\\033[0m\\n' "$2"
sleep 0.02
mkdir -p "$2.new" && cp "$1/index.html" "$2.new/" && rm -rf "$2" && mv "$2.new" "$2" || exit 2
printf '\\033[32mdone\\033[0m\\n'
echo "end $UOW_NAME" >> "$HISTORY"
`;

/** A picture in colours (PPM) to one in greys (PGM), both as text. */
const CONVERT = `#!/bin/sh
echo "start $UOW_NAME" >> "$HISTORY"
[ "$UOW_WHAT" != hangs ] || sleep 1000
[ "$UOW_WHAT" != dies ] || kill -KILL $$
head -n 1 "$1" | grep -q '^P3$' || { echo "not a picture" >&2; exit 1; }
awk 'NR == 1 { print "P2"; next } NR <= 3 { print; next } { print int(($1 * 30 + $2 * 59 + $3 * 11) / 100) }' "$1" > "$2"
echo "end $UOW_NAME" >> "$HISTORY"
`;

type Kind = {
  readonly items: Readonly<Record<string, string>>;
  readonly place: string;
  readonly status: RegExp;
};

/** One after the other, so that each kind comes up again and again. */
function kinds(workplace: string): readonly Kind[] {
  const convert = (what: string, source: string): Record<string, string> => ({
    JOB: 'convert',
    WHAT: what,
    SOURCE: join(workplace, source),
    TARGET: join(workplace, `${what}.pgm`),
  });
  const deploy = (source: string, site: string) => ({
    JOB: 'deploy',
    SOURCE: join(workplace, source),
    SITE: join(workplace, site),
  });
  return [
    { items: deploy('site', 'www'), place: 'done-q', status: /^done: exit code 0/ },
    { items: convert('well', 'picture.ppm'), place: 'done-q', status: /^done: exit code 0/ },
    { items: deploy('no such site', 'www'), place: 'error-q', status: /^error: exit code 2/ },
    { items: convert('damaged', 'damaged.ppm'), place: 'error-q', status: /^error: exit code 1/ },
    { items: convert('well', 'picture.ppm'), place: 'done-q', status: /^done: exit code 0/ },
    { items: convert('hangs', 'picture.ppm'), place: 'fail-q', status: /^fail: it ran longer than 2 s/ },
    { items: deploy('site', 'www'), place: 'done-q', status: /^done: exit code 0/ },
    { items: convert('dies', 'picture.ppm'), place: 'fail-q', status: /^fail: killed by signal 9/ },
    { items: deploy('site', 'intranet'), place: 'done-q', status: /^done: exit code 0/ },
    { items: { JOB: 'convert' }, place: 'trash', status: /^$/ },
  ];
}

class Day {
  readonly root: TestRoot;
  readonly expected = new Map<string, Kind>();
  readonly #history: string;
  readonly #env: NodeJS.ProcessEnv;
  monitor: Spawned | undefined;

  private constructor(root: TestRoot, workplace: string) {
    this.root = root;
    this.#history = join(workplace, 'history');
    this.#env = { ...process.env, HISTORY: this.#history };
    writeFileSync(this.#history, '');
  }

  static async begin(): Promise<Day> {
    const workplace = temporary.path('workplace');
    mkdirSync(join(workplace, 'site'), { recursive: true });
    writeFileSync(join(workplace, 'site/index.html'), '<h1>hello</h1>\n');
    writeFileSync(join(workplace, 'picture.ppm'), 'P3\n2 1\n255\n255 0 0\n0 0 255\n');
    writeFileSync(join(workplace, 'damaged.ppm'), 'no picture\n');
    for (const [name, text] of [
      ['deploy', DEPLOY],
      ['convert', CONVERT],
    ] as const) {
      writeFileSync(join(workplace, name), text, { mode: 0o755 });
    }
    const root = await makeRoot(temporary.path('jobs'), [
      `job deploy :: ${workplace}/deploy {SOURCE} {SITE}`,
      `job convert :: ${workplace}/convert {SOURCE} {TARGET}`,
      'timeout convert :: 2s',
      'sleep seconds :: 1',
      'status html :: status.html',
    ]);
    return new Day(root, workplace);
  }

  put(count: number, workplace = temporary.path('workplace')): void {
    const all = kinds(workplace);
    for (let at = 0; at < count; at++) {
      const number = this.expected.size;
      const kind = all[number % all.length] as Kind;
      const name = `unit ${number}`;
      this.expected.set(name, kind);
      const place = number % 7 === 3 ? 'priority-q' : 'wait-q';
      this.root.put(place, name, unitText({ ...kind.items, NAME: name }));
    }
  }

  start(): void {
    this.monitor = spawnGroup(INTRAY, ['monitor', this.root.path, '--quiet'], this.#env);
  }

  async kill(): Promise<void> {
    signal(this.monitor?.pid ?? 0, 'SIGKILL');
    await this.monitor?.ended;
  }

  say(line: string): void {
    appendFileSync(join(this.root.path, 'monitor_reads'), `${line}\n`);
  }

  /** How many have come to lie somewhere. */
  get settled(): number {
    return ['done-q', 'error-q', 'fail-q', 'trash'].reduce(
      (sum, place) => sum + this.root.names(place).length,
      0,
    );
  }

  async allSettled(): Promise<void> {
    await eventually(() => expect(this.settled).toBe(this.expected.size), 60_000);
  }

  /** What is not as it should be, and how many a kill of the Monitor has met. */
  judge(): { problems: string[]; halfRun: number } {
    const problems: string[] = [];
    let halfRun = 0;
    const history = readFileSync(this.#history, 'utf8').split('\n');
    for (const [name, { place, status }] of this.expected) {
      const places = [
        'wait-q',
        'priority-q',
        'currently-executing',
        'done-q',
        'error-q',
        'fail-q',
        'trash',
      ].filter((at) => this.root.names(at).includes(name));
      if (places.length !== 1) problems.push(`${name} is in ${places.join(', ') || 'no place'}`);
      const [found = ''] = places;
      const text = this.root.read(found, name);
      const [, said = ''] = /^==== STATUS\n(.*)$/m.exec(text) ?? [];
      const starts = history.filter((line) => line === `start ${name}`).length;
      if (starts > 1) problems.push(`${name} was started ${starts} times`);
      if (/^fail: its Monitor ended/.test(said) && found === 'fail-q') {
        halfRun += 1;
        continue;
      }
      if (found !== place) problems.push(`${name} is in ${found}, not in ${place}: ${said}`);
      if (!status.test(said.trim())) problems.push(`${name}: ${said}`);
      if (place === 'done-q' && !history.includes(`end ${name}`))
        problems.push(`${name} did not come to its end`);
      if (
        place === 'done-q' &&
        found === place &&
        text.includes('deploying') &&
        !text.endsWith('\x1b[32mdone\x1b[0m\n')
      ) {
        problems.push(`${name} has lost of its log`);
      }
    }
    for (const place of ['wait-q', 'priority-q', 'currently-executing', 'done-q', 'error-q', 'fail-q']) {
      const litter = readdirSync(join(this.root.path, place)).filter((file) => file.startsWith('.'));
      if (litter.length > 0) problems.push(`${place} has ${litter.join(', ')}`);
    }
    return { problems, halfRun };
  }
}

describe.skipIf(reason !== undefined)(
  `a Monitor at work${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    it('brings 50 units of work to where they belong, through messages and two kills', {
      timeout: 300_000,
    }, async () => {
      const day = await Day.begin();
      day.put(25);
      day.start();
      await eventually(() => expect(day.settled).toBeGreaterThanOrEqual(8));
      day.say('STATUS\nno such message');
      await day.kill();
      day.put(15);
      day.start();
      await eventually(() => expect(day.root.said()).toContain('there is no message "no such message"'));
      day.say('PAUSE');
      await eventually(() => expect(day.root.said()).toContain('PAUSE: no more jobs are started'));
      day.put(10);
      day.say('RESUME');
      await eventually(() => expect(day.settled).toBeGreaterThanOrEqual(30));
      await day.kill();
      day.start();
      await day.allSettled();
      day.say('FINISH');
      expect((await day.monitor?.ended)?.code).toBe(0);
      const { problems, halfRun } = day.judge();
      expect(problems).toEqual([]);
      expect(halfRun).toBeLessThanOrEqual(2);
      expect(readFileSync(temporary.path('workplace', 'well.pgm'), 'utf8')).toBe('P2\n2 1\n255\n76\n28\n');
      expect(existsSync(temporary.path('workplace', 'www/index.html'))).toBe(true);
      expect(readFileSync(join(day.root.path, 'status.html'), 'utf8')).toContain('>unit 48<');
    });

    it('loses nothing, whenever it is killed', { timeout: 300_000 * LONGER }, async () => {
      const random: Chance = chance();
      const day = await Day.begin();
      const kills = 8 * LONGER;
      for (let kill = 0; kill < kills; kill++) {
        day.put(4);
        day.start();
        await pauseMs(random.between(100, 600));
        await day.kill();
      }
      day.start();
      await day.allSettled();
      day.say('FINISH');
      await day.monitor?.ended;
      const { problems, halfRun } = day.judge();
      expect(problems, `seed ${random.seed}`).toEqual([]);
      expect(halfRun).toBeLessThanOrEqual(kills);
      expect(isRunning(day.monitor?.pid ?? 0)).toBe(false);
    });
  },
);

// @ts-check
/** The demo itself, chapter by chapter: a laptop, five nights, a courier, a server, and the comparison. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { differences, measure, readTree } from './compare.mjs';
import { planDeliveries } from './courier.mjs';
import { DAYS, liveThrough } from './home.mjs';
import {
  bold,
  detail,
  dim,
  green,
  heading,
  MARKS,
  number,
  plural,
  quote,
  red,
  say,
  showCommand,
  size,
  yellow,
} from './screen.mjs';
import { BAD_LINE_BYTES, Failure } from './workplace.mjs';

/** How long a step that waits for another process waits for it. */
const PATIENCE_MS = 10_000;

const PROCESS = `fspl queue-process -q queue \\
  tar -- -xvpf - --listed-incremental=/dev/null -C restore`;

/**
 * @typedef {import('./workplace.mjs').Workplace} Workplace
 * @typedef {{ readonly workplace: Workplace, readonly late: number, readonly deliveries: number[][] }} Scene
 */

/**
 * Plays all of it. True when the restored tree is the laptop's and every night ran in its turn.
 *
 * @param {Workplace} workplace
 * @param {number} seed
 */
export async function play(workplace, seed) {
  const started = performance.now();
  const scene = { workplace, ...planDeliveries(seed) };
  heading('A queue on the server');
  showCommand('server', 'fspl queue-init -q queue');
  await mustRun(workplace, 'server', 'fspl queue-init -q queue');
  const packetBytes = await fiveNights(scene);
  const ran = await deliver(scene);
  const equal = await compare(scene);
  const seconds = (performance.now() - started) / 1000;

  const arrived = scene.deliveries.flat().join(' ');
  const inOrder = ran.join(' ') === '1 2 3 4 5';
  heading('In short');
  say(`  5 nights, 5 packets, ${size(packetBytes)}; one more was cut off, and refused`);
  say(`  arrived  ${arrived}`);
  say(`  ran      ${inOrder ? green(ran.join(' ')) : red(ran.join(' '))}`);
  say(`  took     ${seconds.toFixed(1)} s for everything above`);
  if (workplace.peakBytes > 0) say(`  memory   ${size(workplace.peakBytes)} at most in any one fspl`);
  say();
  const good = equal && inOrder;
  say(
    good
      ? green('  The server has what the laptop has.')
      : red('  The server does NOT have what the laptop has.'),
  );
  return good;
}

/**
 * The laptop's side. Returns the bytes of all packets.
 *
 * @param {Scene} scene
 */
async function fiveNights({ workplace, late }) {
  const home = join(workplace.root, 'laptop/home');
  heading('Five nights on the laptop');
  let before = readTree(home);
  let packets = 0;
  for (const [index, { story }] of DAYS.entries()) {
    const night = index + 1;
    liveThrough(home, night);
    const now = readTree(home);
    say(`  ${bold(`Night ${night}`)}  ${story}`);
    if (night === 1) detail(inventory(now));
    if (night === late) await loseOne(workplace, night);
    const command = `${archive(night)} |\nfspl prepare -s state -i - > outbox/night-${night}.fspl`;
    if (night === 1) showCommand('laptop', command);
    await mustRun(workplace, 'laptop', command);
    const packet = statSync(join(workplace.root, `laptop/outbox/night-${night}.fspl`)).size;
    detail(`${changesIn(before, now)}   packet ${night}  ${size(packet).padStart(7)}`);
    before = now;
    packets += packet;
  }
  return packets;
}

/** @param {number} night */
function archive(night) {
  return `tar -C home -V "night ${night}" --listed-incremental=snapshot -cf - .`;
}

/** @param {import('./compare.mjs').Tree} tree */
function inventory(tree) {
  const { files, directories, links, bytes } = measure(tree);
  const names = [plural(files, 'file'), plural(directories, 'directory'), plural(links, 'symbolic link')];
  return `${names.join(', ')}, ${size(bytes)}`;
}

/**
 * @param {import('./compare.mjs').Tree} before
 * @param {import('./compare.mjs').Tree} now
 */
function changesIn(before, now) {
  const found = differences(before, now);
  /** @param {(what: string) => boolean} is */
  const count = (is) => new Set(found.filter(({ what }) => is(what)).map(({ path }) => path)).size;
  const extra = column(count((what) => what === 'extra'));
  const missing = column(count((what) => what === 'missing'));
  const changed = column(count((what) => what !== 'extra' && what !== 'missing'));
  return `${extra} new ${changed} changed ${missing} gone`;
}

/**
 * A night sent straight into the server's queue, whose sender is killed in the middle. Nothing of it may be queued.
 *
 * @param {Workplace} workplace
 * @param {number} night
 */
async function loseOne(workplace, night) {
  detail('Tonight straight into the queue, over a line that stalls:');
  const command = `${archive(night)} |
bad-line | fspl prepare -s state -i - |
fspl queue-write -q ../server/queue`;
  showCommand('laptop', command);
  const refused = workplace.run('laptop', command);
  const jobs = join(workplace.root, 'server/queue/jobs');
  await until(() => readdirSync(jobs).some((name) => bytesOf(join(jobs, name)) >= BAD_LINE_BYTES));
  for (const name of ['prepare', 'bad-line']) {
    const id = await until(() => workplace.processId(name));
    process.kill(id, 'SIGKILL');
  }
  detail(`${number(BAD_LINE_BYTES)} bytes are over when ${yellow('kill -9')} hits fspl prepare:`);
  const { code, stderr } = await refused;
  const left = readdirSync(jobs);
  if (code === 0 || left.length > 0) {
    throw new Failure(`half a packet was taken: exit code ${code}, in the queue: ${left.join(' ')}`);
  }
  // The shell says, around it, what became of the two that were killed.
  const said = stderr.slice(stderr.indexOf('Error:')).split('\n');
  quote(said.filter((line) => !/\bKilled\b/.test(line)).join('\n'), yellow);
  detail(`Number ${night} is spent on it: given back, and the night once more:`);
  const reset = `fspl prepare-set-next -s state ${night}`;
  showCommand('laptop', reset);
  await mustRun(workplace, 'laptop', reset);
}

/**
 * The courier and the server. Returns the nights in the order in which they ran.
 *
 * @param {Scene} scene
 */
async function deliver({ workplace, deliveries, late }) {
  heading('A courier, and cron on the server');
  say(`  Night ${late} is late. After each delivery cron runs this:`);
  showCommand('server', PROCESS);
  const { restored, waiting, away } = MARKS;
  detail(dim(`${restored} restored   ${waiting} waiting for its turn   ${away} not here yet`));
  /** @type {number[]} */
  const ran = [];
  /** @type {number[]} */
  const arrived = [];
  for (const nights of deliveries) {
    say();
    for (const night of nights) {
      const write = `fspl queue-write -q queue < ../laptop/outbox/night-${night}.fspl`;
      showCommand('server', write);
      await mustRun(workplace, 'server', write);
      arrived.push(night);
    }
    const { stdout, stderr } = await mustRun(workplace, 'server', PROCESS, { quiet: false });
    const unpacked = nightsIn(stdout);
    ran.push(...unpacked.map(({ night }) => night));
    say(`  ${bold('cron')}     ${picture(arrived, ran)}`);
    if (unpacked.length === 0) detail('runs nothing');
    for (const { night, names } of unpacked) {
      detail(`runs ${green(`night ${night}`)}: ${column(names)} names unpacked`);
    }
    if (stderr !== '') quote(stderr, yellow);
  }
  return ran;
}

/**
 * What tar unpacked: each archive begins with its label, and then its names follow.
 *
 * @param {string} listing
 */
function nightsIn(listing) {
  /** @type {{ night: number, names: number }[]} */
  const nights = [];
  for (const line of listing.trimEnd().split('\n')) {
    const label = /^night (\d)$/.exec(line);
    const last = nights[nights.length - 1];
    if (label !== null) nights.push({ night: Number(label[1]), names: 0 });
    else if (last !== undefined) last.names += 1;
  }
  return nights;
}

/**
 * @param {readonly number[]} arrived
 * @param {readonly number[]} ran
 */
function picture(arrived, ran) {
  const mark = (/** @type {number} */ night) => {
    if (ran.includes(night)) return green(MARKS.restored);
    return arrived.includes(night) ? yellow(MARKS.waiting) : dim(MARKS.away);
  };
  return [1, 2, 3, 4, 5].map((night) => `${night} ${mark(night)}`).join('   ');
}

/**
 * The laptop's tree against the server's; and, for comparison, the packets unpacked as they came.
 *
 * @param {Scene} scene
 */
async function compare({ workplace, deliveries }) {
  const source = readTree(join(workplace.root, 'laptop/home'));
  const restored = readTree(join(workplace.root, 'server/restore'));
  const found = differences(source, restored);
  heading('The two trees, name by name');
  say(`  laptop/home      ${inventory(source)}`);
  say(`  server/restore   ${inventory(restored)}`);
  say('  Compared: type, permissions, content, time, link target, hard links.');
  say(`  ${found.length === 0 ? green('Different: 0') : red(`Different: ${found.length}`)}`);
  for (const { path, what } of found.slice(0, 10)) say(`    ${JSON.stringify(path)}: ${what}`);

  const order = deliveries.flat().join(' ');
  const naive = `mkdir as-they-came
for night in ${order}; do
  fspl stdin-payload < ../laptop/outbox/night-$night.fspl |
  tar -xpf - --listed-incremental=/dev/null -C as-they-came
done`;
  say();
  say('  And without a queue, unpacked as they came?');
  showCommand('server', naive);
  await workplace.run('server', naive);
  const wrong = differences(source, readTree(join(workplace.root, 'server/as-they-came')));
  const names = new Set(wrong.map(({ path }) => path)).size;
  say(`  ${yellow(`Different: ${plural(names, 'name')}`)}`);
  return found.length === 0;
}

/**
 * The size of a file; 0 when it is gone.
 *
 * @param {string} path
 */
function bytesOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** @param {number} count */
function column(count) {
  return String(count).padStart(4);
}

/**
 * Runs a command that has to succeed, and that has nothing to say on stderr unless `quiet` is false.
 *
 * @param {Workplace} workplace
 * @param {import('./workplace.mjs').Place} place
 * @param {string} command
 */
async function mustRun(workplace, place, command, { quiet = true } = {}) {
  const result = await workplace.run(place, command);
  if (result.code !== 0 || (quiet && result.stderr !== '')) {
    throw new Failure(`${command}\nended with exit code ${result.code} and said:\n${result.stderr}`);
  }
  return result;
}

/**
 * Waits until there is something, looking again and again.
 *
 * @template T
 * @param {() => T | undefined | false} look
 */
async function until(look) {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Failure('waited too long for another process');
    await sleep(5);
  }
}

// @ts-check
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, loop, memoryOf, quote, run } from './measure.mjs';
import { makeQueue } from './queues.mjs';

/** @type {import('./report.mjs').Topic} */
export const start = {
  name: 'start',
  about: 'short commands: start-up time and peak memory',
  run: async ({ directory, sides, quick }) => {
    const calls = quick ? 3 : 20;
    const rounds = quick ? 3 : 7;
    const everybody = [sides.real, sides.executable, sides.node].filter((side) => side !== undefined);
    const empty = makeQueue(join(directory, 'empty'));
    const target = makeQueue(join(directory, 'target'));
    const packet = join(directory, 'packet');
    await run(`${quote([...sides.executable.fspl, 'prepare', '-s', '-'])} > ${quote([packet])}`);
    writeFileSync(join(directory, 'sender'), '1\n');

    /** @type {[name: string, args: string[], redirections: string][]} */
    const commands = [
      ['gen-uuid', ['gen-uuid'], ''],
      ['queue-ls, empty queue', ['queue-ls', '-q', empty], ''],
      ['prepare -s FILE', ['prepare', '-s', join(directory, 'sender')], ''],
      ['queue-write', ['queue-write', '-q', target], `< ${quote([packet])}`],
    ];
    /** @type {import('./report.mjs').Row[]} */
    const times = [];
    /** @type {import('./report.mjs').Row[]} */
    const memory = [];
    for (const [name, args, redirections] of commands) {
      times.push({
        name,
        values: await alternate(rounds, everybody, async ({ fspl }) => {
          const line = `${quote([...fspl, ...args])} ${redirections}`;
          return (await run(loop(calls, line))) / calls;
        }),
      });
      memory.push({
        name,
        values: await alternate(quick ? 1 : 3, everybody, ({ fspl }) =>
          memoryOf(directory, quote([...fspl, ...args]), redirections),
        ),
      });
    }
    for (const path of [empty, target]) rmSync(path, { recursive: true });
    return [
      {
        title: `One call, fork and exec included (median of ${rounds} loops of ${calls} calls)`,
        unit: 'ms',
        better: 'less',
        rows: times,
      },
      { title: 'Peak memory of one call', unit: 'MB', better: 'less', rows: memory },
    ];
  },
};

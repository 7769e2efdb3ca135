/** `intray monitor` and the commands that go with it. */

import type { FailingUnit } from '../../monitor/jobs.ts';
import { parseMessage } from '../../monitor/messages.ts';
import { runMonitor } from '../../monitor/monitor.ts';
import { lookAtRoot } from '../../monitor/picture.ts';
import { statusText } from '../../monitor/status-words.ts';
import { encodeBytes } from '../../os/bytes.ts';
import { shellQuote } from '../../os/shell.ts';
import { readSmallFile } from '../../os/transfer.ts';
import { initRoot } from '../../uow/init.ts';
import { monitorOf } from '../../uow/lock.ts';
import { openRoot } from '../../uow/root.ts';
import { submitUnit } from '../../uow/submit.ts';
import { HEAD_LIMIT_BYTES } from '../../uow/text.ts';
import type { Context } from '../context.ts';
import { printable } from '../printable.ts';
import { untilStopped } from '../stop-signals.ts';
import { UsageProblem } from '../usage.ts';
import { exitStatus } from './exit-codes.ts';
import { checkNotices, type NoticeArgs, noticesFor } from './notice-options.ts';

type Args<O> = { readonly operand: string; readonly options: O; readonly more: readonly string[] };

export async function monitor(
  { machine, print, log }: Context,
  { operand, options }: Args<{ readonly once: boolean; readonly quiet: boolean } & NoticeArgs>,
): Promise<number> {
  checkNotices(options);
  const root = withoutSlashes(operand);
  await openRoot(machine, root);
  const queues = { find: async () => [] };
  const notices = await noticesFor(machine, root, queues, options, (sentence) => void log('warn', sentence));
  const onFailing = async ({ name, path, reason, exit }: FailingUnit) => {
    const facts = { reason, ...(exit === undefined ? {} : { exit }) };
    const outputsOf = () => [{ attempt: undefined, kind: 'both' as const, path }];
    const job = { id: name, seq: undefined, lane: undefined, attempt: 1, ...facts };
    await notices?.accept(job, { location: root, outputsOf });
  };
  const report = await untilStopped(machine, (stop) =>
    runMonitor(machine, root, {
      once: options.once,
      stop,
      onFailing,
      onSaid: (sentence) => {
        if (options.quiet) return;
        // Whoever reads us may have gone: all is in monitor_says too.
        print(`${printable(sentence)}\n`).catch(() => {});
      },
    }).finally(() => notices?.finish(stop.aborted)),
  );
  return exitStatus(options.once && report.error + report.fail > 0 ? 'jobFailed' : 'done');
}

export async function monitorInit({ machine, print }: Context, { operand }: Args<object>): Promise<number> {
  const root = withoutSlashes(operand);
  const { made } = await initRoot(machine, root);
  const name = shellQuote(root);
  const lines =
    made.length === 0
      ? [`${root} is a simple-job-q already; nothing was changed.`]
      : [
          `Made in ${root}: ${made.join(', ')}.`,
          '',
          `Say what a job is in         ${shellQuote(`${root}/config.txt`)}`,
          `Run units of work with       intray monitor ${name}`,
          `Read what that is about in   ${shellQuote(`${root}/wait-q/README`)}`,
        ];
  await print(`${lines.join('\n')}\n`);
  return exitStatus('done');
}

export async function monitorSubmit(
  { machine, print }: Context,
  {
    operand,
    options,
    more: paths,
  }: Args<{
    readonly item: readonly (readonly [name: string, value: string])[];
    readonly name: string | undefined;
    readonly priority: boolean;
  }>,
): Promise<number> {
  const { item: items, name, priority } = options;
  if (items.length > 0 === paths.length > 0) throw new UsageProblem('Expected files, or items with `--item`');
  if (name !== undefined && paths.length > 1) throw new UsageProblem('`--name` is for one unit of work');
  const { root } = await openRoot(machine, withoutSlashes(operand));
  const place = priority ? 'priority-q' : 'wait-q';
  const submit = async (called: string, bytes: Uint8Array) =>
    print(`${await submitUnit(machine, root, { place, name: called, bytes, durability: 'power-safe' })}\n`);
  if (items.length > 0) await submit(name ?? `job-${machine.clock.now().seconds}`, unitOf(items));
  for (const path of paths) {
    const bytes = await readSmallFile(machine.files, path, HEAD_LIMIT_BYTES);
    await submit(name ?? path.replace(/^.*\//s, ''), bytes);
  }
  return exitStatus('done');
}

function unitOf(items: readonly (readonly [name: string, value: string])[]): Uint8Array {
  for (const [name, value] of items) {
    if (/[\r\n]/.test(name + value)) throw new UsageProblem(`Expected \`--item ${name}=...\` to be one line`);
  }
  const lines = items.map(([name, value]) => `${name} :: ${value}`);
  return encodeBytes(`==== UNIT OF WORK\n${lines.join('\n')}\n`);
}

export async function monitorStatus({ machine, print }: Context, { operand }: Args<object>): Promise<number> {
  const { root, config } = await openRoot(machine, withoutSlashes(operand));
  const holder = await monitorOf(machine, root);
  const picture = await lookAtRoot(machine, root, config, holder !== undefined);
  await print(statusText(picture));
  if (holder !== undefined) await print(`\nprocess ${holder.pid} on ${holder.host} works it\n`);
  return exitStatus('done');
}

export async function monitorSay(
  { machine, print }: Context,
  { operand, more: words }: Args<object>,
): Promise<number> {
  const { root } = await openRoot(machine, withoutSlashes(operand));
  const line = words.join(' ');
  const message = parseMessage(line);
  if (message === undefined || /[\r\n]/.test(line)) throw new UsageProblem('Expected a message of one line');
  if ('wrong' in message) throw new UsageProblem(message.wrong);
  const file = await machine.files.open(root.reads, 'append');
  try {
    await machine.files.write(file, encodeBytes(`${line}\n`));
  } finally {
    await machine.files.close(file);
  }
  const holder = await monitorOf(machine, root);
  const when = holder === undefined ? ' when one works here' : '';
  await print(`The Monitor reads it${when}; what it answers is in ${printable(root.says)}\n`);
  return exitStatus('done');
}

/** `~/jobs/` and `~/jobs` are one root. */
function withoutSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}

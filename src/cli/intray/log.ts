/** `intray log`: the runs of a job, and what each has said, as far as it is kept. */

import { decodeBytes } from '../../os/bytes.ts';
import { hasErrno, type Machine, STDOUT } from '../../os/ports.ts';
import { readSmallFile } from '../../os/transfer.ts';
import type { OutputFile } from '../../queue/contract.ts';
import { runSentence } from '../../queue/job-words.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { printable, printableLines } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import { lookUp, type OneJob } from './looking.ts';

/** Longer ones are shortened when the run has ended; what runs now may have said more. */
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;

type Said = Pick<OutputFile, 'path' | 'kind'> & { readonly text: string };

export async function log(
  context: Context,
  args: OneJob & { readonly options: { readonly json: boolean } },
): Promise<number> {
  const { machine, print } = context;
  const { keeper, snapshot, found } = await lookUp(context, args);
  const { queue } = snapshot;
  const { records: runs, running, outputs } = await keeper.runs(found);
  const said = new Map<number | undefined, Said[]>();
  for (const output of outputs) {
    const read = await readIfThere(machine, output);
    if (read === undefined || (read.text === '' && output.attempt !== undefined)) continue;
    said.set(output.attempt, [...(said.get(output.attempt) ?? []), read]);
  }
  const [beside] = said.get(undefined) ?? [];
  if (args.options.json) {
    const shown = runs.map((run, index) => ({
      ...run,
      // A worker that died and one that failed have both begun that attempt: the output stands with the last.
      output:
        runs.findLastIndex(({ attempt }) => attempt === run.attempt) === index
          ? (said.get(run.attempt) ?? [])
          : [],
    }));
    await printJson(context, {
      queue,
      id: found.id,
      runs: shown,
      running: running === undefined ? null : { attempt: running, output: said.get(running) ?? [] },
      saved: beside ?? null,
    });
    return exitStatus('done');
  }
  const terminal = await machine.host.isTerminal(STDOUT);
  const show = async (outputs: readonly Said[]) => {
    for (const { kind, text } of outputs) {
      await print(`-- ${kind}:\n`);
      await print(terminal ? printableLines(text) : text);
      if (!text.endsWith('\n')) await print('\n');
    }
  };
  if (runs.length === 0 && running === undefined && beside === undefined) {
    await context.complain(`intray: ${printable(found.id)}: no run of it is on record\n`);
  }
  for (const [index, run] of runs.entries()) {
    await print(`${printable(runSentence(run))}\n`);
    const last = runs.findLastIndex(({ attempt }) => attempt === run.attempt) === index;
    if (last && run.attempt !== running) await show(said.get(run.attempt) ?? []);
  }
  if (running !== undefined) {
    await print(`Attempt ${running} is running.\n`);
    await show(said.get(running) ?? []);
  }
  if (beside !== undefined) await show([beside]);
  return exitStatus('done');
}

async function readIfThere({ files }: Machine, output: OutputFile): Promise<Said | undefined> {
  const { path, kind, bytes } = output;
  if (bytes !== undefined) return { path, kind, text: decodeBytes(bytes) };
  try {
    return { path, kind, text: decodeBytes(await readSmallFile(files, path, OUTPUT_LIMIT_BYTES)) };
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined;
    if (error instanceof RangeError) return { path, kind, text: `[intray: it is long: see ${path}]\n` };
    throw error;
  }
}

/** `intray metrics`: queues in numbers, for Prometheus. */

import { reasonOf } from '../../queue/errors.ts';
import { replaceNamedFile } from '../../queue/replace-file.ts';
import { measure } from '../../web/measure.ts';
import { metricsOf } from '../../web/metrics.ts';
import { openMetricsText } from '../../web/openmetrics.ts';
import { seeQueues } from '../../web/see.ts';
import { probeSyncs } from '../../web/sync-probe.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { exitStatus } from './exit-codes.ts';
import type { Decoded, InQueue } from './looking.ts';

type Metrics = InQueue &
  Decoded & {
    readonly more: readonly string[];
    readonly options: {
      readonly output: string | undefined;
      readonly runs: number | undefined;
      readonly probe: boolean;
    };
  };

/** Each is a small file to be read. */
const RUNS = 1000;

export async function metrics(context: Context, args: Metrics): Promise<number> {
  const { machine, print, log } = context;
  const { output, runs = RUNS, decoder } = args.options;
  const seen = await seeQueues(machine, [args.operand, ...args.more], { decoder });
  const { queues } = seen;
  const problems = [...seen.problems];
  const probe = async (location: string) => {
    try {
      return args.options.probe ? await probeSyncs(machine, location) : [];
    } catch (error) {
      problems.push(new Error(`${location}: no sync can be tried: ${reasonOf(error)}`, { cause: error }));
      return [];
    }
  };
  const text = openMetricsText(metricsOf(await measure(queues, runs, probe)));
  if (output === undefined) await print(text);
  else await replaceNamedFile(machine, output, text);
  for (const problem of problems) await log('error', sentenceOf(problem));
  return exitStatus(problems.length === 0 ? 'done' : 'error');
}

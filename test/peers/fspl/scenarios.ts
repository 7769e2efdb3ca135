// All scenarios, by topic.
import type { Scenario } from './scenario.ts';
import { decoder } from './scenarios/decoder.ts';
import { differencesProcess } from './scenarios/differences-process.ts';
import { differencesQueue } from './scenarios/differences-queue.ts';
import { info } from './scenarios/info.ts';
import { names, namesOfBytes } from './scenarios/names.ts';
import { packets } from './scenarios/packets.ts';
import { prepare } from './scenarios/prepare.ts';
import { processCommand } from './scenarios/process-command.ts';
import { processOrder } from './scenarios/process-order.ts';
import { queue } from './scenarios/queue.ts';
import { recipes } from './scenarios/recipes.ts';
import { seqfile } from './scenarios/seqfile.ts';
import { stdin } from './scenarios/stdin.ts';
import { usageHelp } from './scenarios/usage-help.ts';
import { usageOptions } from './scenarios/usage-options.ts';

const anyRuntime = (scenario: Scenario): Scenario => ({ ...scenario, anyRuntime: true });

/** Decided by our own code alone: command lines, sequence files, the order of jobs, the shape of packets, flows. */
const logic = [
  ...usageHelp,
  ...usageOptions,
  ...seqfile,
  ...queue,
  ...processOrder,
  ...names,
  ...packets,
  ...recipes,
];

/** Where descriptors, processes, bytes and clocks of the runtime take part. */
const machine = [
  ...prepare,
  ...info,
  ...namesOfBytes,
  ...processCommand,
  ...decoder,
  ...stdin,
  ...differencesQueue,
  ...differencesProcess,
];

export const scenarios: readonly Scenario[] = [...logic.map(anyRuntime), ...machine];

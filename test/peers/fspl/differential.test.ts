// Every scenario is run by the real fspl and by ours, and what can be seen from outside must be the same.
import { describe, expect, it } from 'vitest';
import { type Run, runScript } from './harness.ts';
import { missingNeed } from './needs.ts';
import { isSameProgram, ours, type Program, peersRequired, real } from './programs.ts';
import type { Expected, Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const TEST_TIMEOUT_MS = 300_000;

/** The real one is run once for each scenario, however many variants of ours there are. */
const realRuns = new Map<Scenario, Promise<Run>>();
function runReal(scenario: Scenario): Promise<Run> {
  let run = realRuns.get(scenario);
  if (!run) {
    run = runScript(scenario, real);
    realRuns.set(scenario, run);
  }
  return run;
}

/** The variant for what does not depend on the runtime; INTRAY_ALL_VARIANTS=1 tries it with all of them. */
const firstPresent = ours.find((program) => program.absent === undefined);
const allVariants = process.env.INTRAY_ALL_VARIANTS === '1';

function reasonToSkip(scenario: Scenario, program: Program): string | undefined {
  if (real.absent !== undefined) return real.absent;
  if (program.absent !== undefined) return program.absent;
  if (scenario.difference !== undefined && isSameProgram(real, program)) return 'both are the real program';
  return missingNeed(scenario, real) ?? missingNeed(scenario, program);
}

/** The parts of a run that an expectation speaks about. */
function partsOf(run: Run, expected: Expected): Expected {
  const { status, stdout, tree } = run.outcome;
  return {
    ...(expected.status === undefined ? {} : { status: Number(status) }),
    ...(expected.stdout === undefined ? {} : { stdout }),
    ...(expected.tree === undefined
      ? {}
      : { tree: Object.fromEntries(Object.keys(expected.tree).map((path) => [path, tree[path] ?? null])) }),
  };
}

/** Our run as if it had been silent wherever the real one was; it must have warned at least once. */
function withoutWarnings(ourRun: Run, realRun: Run, warns: string): Run {
  const realLines = realRun.outcome.stdout.split('\n');
  let warned = 0;
  const lines = ourRun.outcome.stdout.split('\n').map((line, at) => {
    const silenced = line.replace(/, complained$/, ', silent');
    if (silenced === line || silenced !== realLines[at]) return line;
    warned += 1;
    return silenced;
  });
  expect(warned, `ours is as silent as the real one, but should say: ${warns}`).toBeGreaterThan(0);
  return { ...ourRun, outcome: { ...ourRun.outcome, stdout: lines.join('\n') } };
}

async function compare(scenario: Scenario, program: Program): Promise<void> {
  const ourRun = await runScript(scenario, program);
  if (scenario.difference === undefined) {
    const realRun = await runReal(scenario);
    const said = `stderr of the real one:\n${realRun.stderr}\nstderr of ours:\n${ourRun.stderr}`;
    const silent = scenario.warns === undefined || isSameProgram(real, program);
    const { outcome } = silent ? ourRun : withoutWarnings(ourRun, realRun, scenario.warns ?? '');
    expect(outcome, said).toEqual(realRun.outcome);
    return;
  }
  expect(partsOf(ourRun, scenario.ours), `${scenario.difference}\n${ourRun.stderr}`).toEqual(scenario.ours);
  if (scenario.real === 'not run') return;
  const realRun = await runReal(scenario);
  expect(partsOf(realRun, scenario.real), 'the real one, too, has changed').toEqual(scenario.real);
}

it('finds no name twice, so that each scenario can be asked for by name', () => {
  const seen = scenarios.map((scenario) => scenario.name);
  expect(new Set(seen).size).toBe(seen.length);
});

it.skipIf(!peersRequired)('has the programs that are required', () => {
  const absent = [real, ...ours].flatMap((program) => program.absent ?? []);
  expect(absent).toEqual([]);
});

describe.each(ours)('$name against the real fspl', (program) => {
  const suited = scenarios.filter(({ anyRuntime }) => !anyRuntime || program === firstPresent || allVariants);
  describe.concurrent.each(suited)('', (scenario) => {
    it(scenario.name, { timeout: TEST_TIMEOUT_MS }, async (context) => {
      const reason = reasonToSkip(scenario, program);
      if (reason !== undefined) context.skip(reason);
      await compare(scenario, program);
    });
  });
});

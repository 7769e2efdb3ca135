/** What the documentation tells people to type works as it says. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { CommandSpec } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/intray/commands.ts';
import { EXIT_CODES } from '../../src/cli/intray/exit-codes.ts';
import { parseCommand } from '../../src/cli/parse.ts';
import type { Outcome } from '../../src/doctor/probe.ts';
import { PROBES } from '../../src/doctor/probes.ts';
import { assess } from '../../src/doctor/promises.ts';
import { expectedText } from '../support/guide-text.ts';
import { INTRAY_VARIANTS, intrayCli } from '../support/intray-cli.ts';
import { natsLack, useNats } from '../support/nats.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BUN = join(root, 'node_modules/.bin/bun');
const made: string[] = [];

afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** A page has some 60 calls of a command, and Node on a busy machine takes a second to start. */
const PAGE_DEADLINE_MS = 300_000;

/** The blocks of a page in these languages, in order. */
function blocks(page: string, ...languages: string[]): { language: string; text: string }[] {
  const source = readFileSync(join(root, page), 'utf8');
  return [...source.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .map(([, language = '', text = '']) => ({ language, text }))
    .filter(({ language }) => languages.includes(language));
}

/** A directory in which `intray` can be imported as a user would. */
function linked(): string {
  const path = mkdtempSync(join(tmpdir(), 'intray-docs-'));
  made.push(path);
  mkdirSync(join(path, 'node_modules'));
  symlinkSync(root, join(path, 'node_modules/intray'));
  writeFileSync(join(path, 'package.json'), JSON.stringify({ type: 'module' }));
  return path;
}

const PAGES = [
  'README.md',
  'docs/filespooler.md',
  'docs/parallel.md',
  'docs/patterns.md',
  'docs/doctor.md',
  'docs/top.md',
  'docs/monitor.md',
  'docs/dirqueue.md',
  'docs/fsq.md',
  'docs/web.md',
  'docs/notices.md',
];

/** How many outputs a page shows that are compared. */
const LEAST_OUTPUTS: Readonly<Record<string, number>> = {
  'docs/doctor.md': 4,
  'docs/patterns.md': 5,
  'docs/top.md': 2,
  'docs/monitor.md': 4,
  'docs/dirqueue.md': 6,
  'docs/fsq.md': 7,
  'docs/web.md': 2,
  'docs/notices.md': 3,
};

type Cli = ReturnType<typeof intrayCli>;

/** Runs the blocks of a page, compares the outputs that it shows, and returns how many those are. */
function runPage({ dir, sh }: Cli, page: string, env: NodeJS.ProcessEnv = {}): number {
  for (const name of ['photos', 'outbox', 'backups']) mkdirSync(join(dir, name));
  writeFileSync(join(dir, 'photos/beach.jpg'), 'sand');
  let compared = 0;
  const steps = blocks(page, 'sh', 'text');
  steps.forEach(({ language, text }, index) => {
    if (language !== 'sh') return;
    const result = sh(`set -e\n${text}`, { HOME: dir, ...env });
    expect(result.status, `${text}\n${result.stderr}`).toBe(0);
    const next = steps[index + 1];
    if (next?.language !== 'text') return;
    expect(result.stdout).toMatch(expectedText(next.text));
    compared += 1;
  });
  return compared;
}

describe.each(INTRAY_VARIANTS)('with intray as %s', (_name, program, first) => {
  it.each(PAGES)(
    'the commands of %s do what it says',
    (page) => {
      const cli = intrayCli(program, first);
      const compared = runPage(cli, page);
      if (page === 'README.md') {
        expect(readFileSync(join(cli.dir, 'backups/photos/beach.jpg'), 'utf8')).toBe('sand');
      } else {
        expect(compared).toBeGreaterThanOrEqual(LEAST_OUTPUTS[page] ?? 8);
      }
    },
    PAGE_DEADLINE_MS,
  );
});

describe.each(INTRAY_VARIANTS)('with intray as %s and a server of NATS', (_name, program, first) => {
  const nats = useNats();
  const lack = natsLack();

  it(
    'the commands of docs/jetstream.md do what it says',
    (context) => {
      if (lack !== undefined) context.skip(lack);
      const cli = intrayCli(program, first);
      expect(runPage(cli, 'docs/jetstream.md', { SERVER: nats.addresses })).toBe(3);
    },
    PAGE_DEADLINE_MS,
  );
});

describe('the guide to the doctor', () => {
  const text = readFileSync(join(root, 'docs/doctor.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (.*) \|$/gm)].map(([, cells = '']) => cells.split(' | '));

  it('has every probe, in order', () => {
    const names = PROBES.map(({ name }) => `\`${name}\``);
    expect(rows.map(([first]) => first).filter((first) => names.includes(first ?? ''))).toEqual(names);
  });

  it('says of each probe which promises hang on it', () => {
    for (const { name } of PROBES) {
      const outcomes = new Map<string, Outcome>(
        PROBES.map((probe) => [probe.name, { verdict: probe.name === name ? 'fails' : 'holds', seen: '' }]),
      );
      const failing = assess(outcomes).filter(({ verdict }) => verdict === 'fails');
      const said = rows.find(([first]) => first === `\`${name}\``)?.[2] ?? '';
      expect([name, ...(said.match(/\bG\d\b/g) ?? [])]).toEqual([
        name,
        ...failing.map(({ promise }) => promise),
      ]);
    }
  });

  it('has every exit status', () => {
    const expected = Object.entries(EXIT_CODES).map(([name, { status, meaning }]) => [
      `${status}`,
      `\`${name}\``,
      meaning,
    ]);
    expect(rows.filter(([first]) => /^\d$/.test(first ?? ''))).toEqual(expected);
  });
});

describe('the guide to parallel work', () => {
  const guide = readFileSync(join(root, 'docs/parallel.md'), 'utf8');

  it('has unit files and cron lines whose commands are understood', () => {
    const lines = [...guide.matchAll(/^(?:ExecStart=\S*| {4}\*\/5 .*?)intray work (.*)$/gm)].map(
      ([, words = '']) => words,
    );
    expect(lines).toHaveLength(2);
    const spec = COMMANDS.find(({ name }) => name === 'work') as CommandSpec;
    for (const words of lines) {
      expect(parseCommand(spec, words.split(' '))).toMatchObject({
        kind: 'run',
        args: { operand: '/var/spool/thumbnails' },
      });
    }
  });

  it('has every exit status of work', () => {
    const rows = [...guide.matchAll(/^\| (\d) \|/gm)].map(([, status]) => Number(status));
    const { unsafe: _, ...ofWork } = EXIT_CODES;
    expect(rows).toEqual(Object.values(ofWork).map(({ status }) => status));
  });
});

describe('the library guide', () => {
  const examples = ['README.md', 'docs/library.md', 'docs/fsq.md'].flatMap((page) => blocks(page, 'ts'));

  it('has programs that run, one after the other', () => {
    const cwd = linked();
    examples.forEach(({ text }, index) => {
      const file = join(cwd, `${index}.ts`);
      writeFileSync(file, text);
      const result = spawnSync(BUN, ['--no-install', file], { cwd, encoding: 'utf8', timeout: 120_000 });
      expect(result.status, `${text}\n${result.stdout}${result.stderr}`).toBe(0);
    });
    expect(examples.length).toBeGreaterThanOrEqual(5);
  });

  it('has programs that are well typed against the types we ship', () => {
    const cwd = linked();
    examples.forEach(({ text }, index) => {
      writeFileSync(join(cwd, `${index}.ts`), text);
    });
    cpSync(join(root, 'tsconfig.json'), join(cwd, 'base.json'));
    const options = {
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      noEmit: true,
      noUnusedLocals: false,
    };
    writeFileSync(
      join(cwd, 'tsconfig.json'),
      JSON.stringify({ extends: './base.json', compilerOptions: options, include: ['*.ts'] }),
    );
    const result = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', cwd], {
      cwd,
      encoding: 'utf8',
      timeout: 180_000,
    });
    expect(result.stdout).toBe('');
    expect(result.status).toBe(0);
  });
});

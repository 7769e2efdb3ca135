/** The commands of docs/transports.md do what it says, with the real programs on this machine alone. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { lacking } from '../faults/support/needs.ts';
import { eventually } from '../support/fspl.ts';
import { expectedText } from '../support/guide-text.ts';
import { type IntrayCli, intrayCli } from '../support/intray-cli.ts';
import { useNats } from '../support/nats.ts';
import { type NncpNodes, writeNncpNodes } from '../support/nncp.ts';
import { freePort, SSHD, startSshd } from '../support/sshd.ts';
import { startSyncthings } from '../support/syncthing.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/transports.md', import.meta.url)), 'utf8');
const ORIGINAL = '/usr/bin/fspl';
const DEADLINE_MS = 300_000;
const endings: (() => Promise<void>)[] = [];
const nats = useNats();

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** What a section needs around its commands; returned: variables for them. */
type Surroundings = {
  readonly tools: readonly string[];
  readonly outputs: number;
  /** Its commands are those of Filespooler alone, and so run with the original too. */
  readonly original?: true;
  readonly prepare?: (cli: IntrayCli) => Promise<Record<string, string>>;
  /** Awaited before the blocks with these numbers. */
  readonly before?: Readonly<Record<number, (cli: IntrayCli) => Promise<void>>>;
};

const SECTIONS: Readonly<Record<string, Surroundings>> = {
  'From queue to queue': { tools: [], outputs: 1 },
  'Over ssh': { tools: ['ssh', 'ssh-keygen', SSHD], outputs: 2, prepare: behindSsh },
  'To and from JetStream': { tools: ['nats-server'], outputs: 1, prepare: withNats },
  'A plain pipe': { tools: ['gzip'], outputs: 1, original: true },
  Syncthing: {
    tools: ['syncthing'],
    outputs: 1,
    before: { 1: throughSyncthing, 2: (cli) => arrived(cli, 'readings/jobs', 3) },
  },
  NNCP: { tools: ['nncp-exec', 'nncp-cfgnew', 'nncp-cfgmin'], outputs: 1, prepare: withNncp },
  rclone: { tools: ['rclone'], outputs: 1, prepare: withRclone, original: true },
  'rsync and USB sticks': { tools: ['rsync'], outputs: 1, original: true },
  'Compress and encrypt': { tools: ['zstd', 'age', 'gpg'], outputs: 3, prepare: withGpg },
};

/** Where they live, an ssh that knows `backup`, and there the same home. */
async function behindSsh(cli: IntrayCli): Promise<Record<string, string>> {
  const keys = join(cli.dir, 'keys');
  mkdirSync(keys);
  const program = cli.sh('command -v intray').stdout.trim();
  const bin = program.slice(0, program.lastIndexOf('/'));
  const enter = join(keys, 'enter');
  writeFileSync(
    enter,
    `#!/bin/sh\nHOME=${cli.dir}; PATH=${bin}:$PATH; export HOME PATH; cd && exec sh -c "$SSH_ORIGINAL_COMMAND"\n`,
    { mode: 0o755 },
  );
  const sshd = await startSshd(keys);
  endings.push(() => sshd.stop());
  sshd.force(enter);
  const tools = join(cli.dir, 'tools');
  mkdirSync(tools);
  const wrapper = `#!/bin/sh\nexec /usr/bin/${sshd.ssh} -o Port=${sshd.port} -o HostName=127.0.0.1 "$@"\n`;
  writeFileSync(join(tools, 'ssh'), wrapper, { mode: 0o755 });
  cli.sh('intray init queue');
  return { PATH: `${tools}:${bin}:${process.env.PATH}` };
}

async function withNats(): Promise<Record<string, string>> {
  return { SERVER: nats.addresses };
}

async function throughSyncthing(cli: IntrayCli): Promise<void> {
  const syncthings = await startSyncthings(join(cli.dir, 'syncthing'), [
    join(cli.dir, 'field/jobs'),
    join(cli.dir, 'readings/jobs'),
  ]);
  endings.push(() => syncthings.stop());
}

async function withNncp(cli: IntrayCli): Promise<Record<string, string>> {
  expect(cli.sh('fspl queue-init -q queue').status).toBe(0);
  const fspl = cli.sh('command -v fspl').stdout.trim();
  const nodes: NncpNodes = writeNncpNodes(cli.dir, {
    sender: 'field',
    receiver: 'server',
    exec: { queue: [fspl, 'queue-write', '-q', join(cli.dir, 'queue')] },
  });
  return { NNCPCFG: nodes.sender };
}

async function withRclone(cli: IntrayCli): Promise<Record<string, string>> {
  const port = await freePort();
  const cloud = join(cli.dir, 'cloud');
  mkdirSync(cloud);
  const server = begin('rclone', [
    'serve',
    'webdav',
    cloud,
    '--addr',
    `127.0.0.1:${port}`,
    '--config',
    '/dev/null',
  ]);
  await eventually(
    () => server.said().includes('Serving on') || server.said().includes('started on'),
    'rclone',
  );
  return {
    RCLONE_CONFIG: join(cli.dir, 'rclone.conf'),
    RCLONE_CONFIG_BOX_TYPE: 'webdav',
    RCLONE_CONFIG_BOX_VENDOR: 'other',
    RCLONE_CONFIG_BOX_URL: `http://127.0.0.1:${port}`,
  };
}

async function withGpg(cli: IntrayCli): Promise<Record<string, string>> {
  const home = join(cli.dir, 'gpg');
  mkdirSync(home, { mode: 0o700 });
  endings.push(async () => {
    cli.sh('gpgconf --kill all', { GNUPGHOME: home });
  });
  return { GNUPGHOME: home };
}

function begin(program: string, args: readonly string[]): { said(): string } {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said += chunk;
    });
  }
  endings.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  });
  return { said: () => said };
}

async function arrived(cli: IntrayCli, directory: string, count: number): Promise<void> {
  await eventually(
    () =>
      readdirSync(join(cli.dir, directory)).filter((name) => /^fspl-.*\.fspl$/.test(name)).length === count,
    `${count} jobs in ${directory}`,
  );
}

function blocksOf(title: string): { language: string; text: string }[] {
  const start = page.indexOf(`\n## ${title}\n`);
  const end = page.indexOf('\n## ', start + 1);
  const section = page.slice(start, end < 0 ? undefined : end);
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

describe('docs/transports.md', () => {
  it('has no section that is not run', () => {
    const titles = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(titles).toEqual(Object.keys(SECTIONS));
  });

  for (const [title, section] of Object.entries(SECTIONS)) {
    const reason = lacking({ tools: section.tools });
    const because = reason === undefined ? '' : ` (${reason})`;
    it.skipIf(reason !== undefined)(`${title}${because}`, () => runSection(title, section, ''), DEADLINE_MS);
    if (section.original === undefined) continue;
    const lacks = lacking({ tools: [...section.tools, ORIGINAL] });
    const absent = lacks === undefined ? '' : ` (${lacks})`;
    const itself = `fspl() { ${ORIGINAL} "$@"; }`;
    it.skipIf(lacks !== undefined)(
      `${title}, with the original${absent}`,
      () => runSection(title, section, itself),
      DEADLINE_MS,
    );
  }
});

/** `first`: run before each block. */
async function runSection(title: string, section: Surroundings, first: string): Promise<void> {
  const cli = intrayCli();
  const env = { HOME: cli.dir, ...(await section.prepare?.(cli)) };
  const steps = blocksOf(title);
  let compared = 0;
  let number = 0;
  for (const [index, { language, text }] of steps.entries()) {
    if (language !== 'sh') continue;
    await section.before?.[number]?.(cli);
    number += 1;
    const result = cli.sh(`set -e\n${first}\n${text}`, env);
    expect(result.status, `${text}\n${result.stdout}${result.stderr}`).toBe(0);
    const next = steps[index + 1];
    if (next?.language !== 'text') continue;
    expect(result.stdout, result.stderr).toMatch(expectedText(next.text, '[\\s\\S]*'));
    compared += 1;
  }
  expect(compared).toBe(section.outputs);
}

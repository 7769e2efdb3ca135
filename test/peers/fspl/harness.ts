// Runs one scenario with one program and returns what can be compared. Nothing that a scenario starts outlives it.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bytesToText, createNumbering, SHOWN_OUTPUT_BYTES, TIME_ZONE, withoutTimes } from './normalise.ts';
import { FIXTURES, type Program } from './programs.ts';
import { PRELUDE } from './scenario.ts';
import { snapshot } from './snapshot.ts';

const TIME_LIMIT_MS = 40_000;

export type Outcome = {
  readonly status: number | string;
  readonly stdout: string;
  readonly tree: Readonly<Record<string, string>>;
};

export type Run = {
  readonly outcome: Outcome;
  /** Not compared: the words of a complaint are each program's own. */
  readonly stderr: string;
};

export type Script = {
  readonly script: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** More programs, each reachable by a variable that holds its path. */
  readonly programs?: Readonly<Record<string, Program>>;
};

export async function runScript(script: Script, program: Program): Promise<Run> {
  const root = mkdtempSync(join(tmpdir(), 'intray-peer-'));
  chmodSync(root, 0o755);
  try {
    return await runIn(root, script, program);
  } finally {
    endProcessesBelow(root);
    rmSync(root, { recursive: true, force: true });
  }
}

async function runIn(root: string, script: Script, program: Program): Promise<Run> {
  const work = join(root, 'work');
  const scratch = join(root, 'scratch');
  for (const directory of [work, scratch]) mkdirSync(directory);
  // Open to all, for the scenarios that run as another user.
  for (const directory of [work, scratch]) chmodSync(directory, 0o777);
  for (const [path, content] of Object.entries(script.files ?? {})) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), content);
  }
  const variables: Record<string, string> = {};
  for (const [name, more] of Object.entries(script.programs ?? {})) {
    variables[name] = install(more, join(root, 'programs', name));
  }
  const bin = dirname(install(program, join(root, 'bin')));
  const env = {
    ...variables,
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: scratch,
    TMPDIR: scratch,
    SCRATCH: scratch,
    FIXTURES,
    TZ: TIME_ZONE,
    LC_ALL: 'C.UTF-8',
    SHELL: '/bin/sh',
  };
  const startSeconds = Math.floor(Date.now() / 1000) - 1;
  const ended = await shell(script.script, work, scratch, env);
  const window = { startSeconds, endSeconds: Math.ceil(Date.now() / 1000) + 1 };
  const read = (name: string) =>
    withoutTimes(
      bytesToText(readFileSync(join(scratch, name)), SHOWN_OUTPUT_BYTES).replaceAll(root, '<root>'),
      window,
    );
  const numbering = createNumbering();
  return {
    outcome: {
      status: ended,
      stdout: numbering(read('stdout')),
      tree: snapshot(work, window, numbering),
    },
    stderr: read('stderr'),
  };
}

/** Makes the program available as DIRECTORY/fspl and returns that path. */
function install(program: Program, directory: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'fspl');
  if (program.command.length === 1) {
    symlinkSync(program.command[0], path);
  } else {
    const words = program.command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    writeFileSync(path, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }
  return path;
}

/** Output goes to files, not pipes: a process that stays behind cannot keep us waiting. */
function shell(
  script: string,
  cwd: string,
  scratch: string,
  env: Record<string, string>,
): Promise<number | string> {
  const stdout = openSync(join(scratch, 'stdout'), 'a');
  const stderr = openSync(join(scratch, 'stderr'), 'a');
  const child = spawn('/bin/sh', ['-c', `${PRELUDE}${script}`], {
    ...{ cwd, env, detached: true },
    stdio: ['ignore', stdout, stderr],
  });
  closeSync(stdout);
  closeSync(stderr);
  const group = child.pid;
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (group !== undefined) endGroup(group);
    }, TIME_LIMIT_MS);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (group !== undefined) endGroup(group);
      resolve(late ? 'did not end in time' : (code ?? signal ?? 'unknown'));
    });
  });
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

/** Processes that left the group of the script are found by their directory. */
function endProcessesBelow(root: string): void {
  if (!existsSync('/proc/self/cwd')) return;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readlinkSync(`/proc/${name}/cwd`).startsWith(`${root}/`)) process.kill(Number(name), 'SIGKILL');
    } catch {
      // It ended meanwhile, or is not ours to look at.
    }
  }
}

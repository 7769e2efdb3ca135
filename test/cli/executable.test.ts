/** The executable as such: its names, and what it must not believe. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/cli/version.ts';
import { EXECUTABLE, fsplFor, VARIANTS } from '../support/fspl.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const INTRAY = join(root, 'dist/bin/intray');

describe('the executable', () => {
  it('is fspl when it is called fspl, by any path', () => {
    const { dir, sh } = fsplFor(EXECUTABLE, []);
    const result = sh(`ln -s '${INTRAY}' fspl-link; mkdir bin; ln -s '${INTRAY}' bin/fspl
      '${INTRAY}' fspl -V; bin/fspl -V; PATH="$PWD/bin:$PATH"; fspl -V`);
    const line = 'filespooler 1.2.2\n';
    expect(result.stdout).toBe(line.repeat(3));
    expect(existsSync(join(dir, 'fspl-link'))).toBe(true);
  });

  it('is intray when it is called anything else', () => {
    expect(spawnSync(INTRAY, ['-V'], { encoding: 'utf8' }).stdout).toBe(`intray ${VERSION}\n`);
    expect(spawnSync(INTRAY, ['nonsense'], { encoding: 'utf8' }).status).toBe(2);
    expect(spawnSync(INTRAY, ['--help'], { encoding: 'utf8' }).stdout).toContain('intray fspl');
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(version).toBe(VERSION);
  });
});

describe.each(VARIANTS)('%s in a hostile directory', (_name, program, first) => {
  it('reads no .env, bunfig.toml, package.json, tsconfig.json or node_modules there', () => {
    const { dir, run, sh } = fsplFor(program, first);
    const evil = `require('node:fs').writeFileSync(${JSON.stringify(join(dir, 'was-run'))}, '')`;
    for (const name of ['.env', '.env.local', '.env.production', '.env.development']) {
      writeFileSync(join(dir, name), 'FSPL_SET_EVIL=yes\nNODE_OPTIONS=--require=./evil.cjs\nTZ=Asia/Tokyo\n');
    }
    writeFileSync(join(dir, 'evil.cjs'), evil);
    writeFileSync(join(dir, 'bunfig.toml'), 'preload = ["./evil.cjs"]\n[run]\npreload = ["./evil.cjs"]\n');
    writeFileSync(
      join(dir, 'package.json'),
      JSON.stringify({ type: 'commonjs', imports: { '#x': './evil.cjs' }, bun: { preload: './evil.cjs' } }),
    );
    writeFileSync(
      join(dir, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { paths: { '*': ['./evil.cjs'] }, baseUrl: '.' } }),
    );
    for (const name of ['koffi', 'bun', 'node:fs']) {
      mkdirSync(join(dir, 'node_modules', name), { recursive: true });
      writeFileSync(join(dir, 'node_modules', name, 'index.js'), evil);
    }
    expect(sh('fspl queue-init -q q && fspl prepare -s s > p && fspl queue-write -q q < p').status).toBe(0);
    const info = run(['queue-info', '-q', 'q', '-j', '1']);
    expect(info.stdout).toContain('FSPL_SEQ=1\n');
    expect(info.stdout).not.toContain('EVIL');
    expect(info.stdout).toMatch(/RFC3339_LOCAL=\S+\+00:00\n/);
    const processed = run(['queue-process', '-q', 'q', 'env']);
    expect(processed.status).toBe(0);
    expect(processed.stdout).not.toContain('EVIL');
    expect(existsSync(join(dir, 'was-run'))).toBe(false);
  });

  it('passes bytes that are not UTF-8 through names, arguments and variables', () => {
    const { sh } = fsplFor(program, first);
    const result = sh(
      `q=$(printf 'q\\377'); export FSPL_SET_RAW="$(printf 'a\\200b')"; export OTHER="$(printf '\\376')"
       fspl queue-init -q "$q" && fspl prepare -s s -- "$(printf 'p\\377')" | fspl queue-write -q "$q" || exit 9
       cd "$q/jobs"; for f in *; do mv "$f" "$(printf 'fspl-\\351.fspl')"; done; cd ../..
       fspl queue-ls -q "$q" | tail -1 | od -An -c | tr -d ' \\n'; echo
       fspl queue-process -q "$q" --allow-job-params sh -- -c 'printf "%s|%s|%s|%s" "$1" "$FSPL_SET_RAW" "$OTHER" "$FSPL_JOB_FULLPATH" | od -An -c | tr -d " \\n"' sh`,
    );
    expect(result.stderr).toBe('');
    expect(result.stdout).toContain('fspl-351.fspl\\n\n');
    expect(result.stdout).toContain('p377|a200b|376|q377/jobs/fspl-351.fspl');
  });
});

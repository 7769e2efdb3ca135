import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkLayers } from '../../scripts/check-layers.mjs';

let src: string;

beforeEach(() => {
  src = mkdtempSync(join(tmpdir(), 'intray-layers-'));
});

afterEach(() => {
  rmSync(src, { recursive: true });
});

function offences(files: Record<string, string>): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(src, path)), { recursive: true });
    writeFileSync(join(src, path), text);
  }
  return checkLayers(src).map(({ line, message }) => `${line}: ${message}`);
}

describe('the layer check', () => {
  it('finds nothing in src', () => {
    expect(checkLayers(fileURLToPath(new URL('../../src', import.meta.url)))).toEqual([]);
  });

  it.each([
    ["import { a } from '../queue/a.ts';", 'packet/x.ts', '1: src/packet imports upward, from src/queue'],
    ["\nexport type { A } from '../cli.ts';", 'worker/x.ts', '2: src/worker imports upward, from src'],
    [
      "const a = await import('../fsq/a.ts');",
      'spool/x.ts',
      '1: src/spool imports src/fsq, which is beside it',
    ],
    ["import fs from 'node:fs';", 'spool/x.ts', '1: a module of the machine is for src/os only'],
    [
      "import { spawn } from 'node:child_process';",
      'cli/x.ts',
      '1: a module of the machine is for src/os only',
    ],
    ["import { dlopen } from 'bun:ffi';", 'packet/x.ts', '1: a module of the machine is for src/os only'],
    ['const now = Date.now();', 'queue/x.ts', '1: Date is for src/os only'],
    ['const now = new Date();', 'queue/x.ts', '1: Date is for src/os only'],
    ['setTimeout(() => {}, 1);', 'worker/x.ts', '1: timers is for src/os only'],
    ['const n = Math.random();', 'worker/x.ts', '1: Math.random is for src/os only'],
    ['process.exit(1);', 'cli/x.ts', '1: process is for src/os only'],
    ['const path = process.env.PATH;', 'index.ts', '1: process is for src/os only'],
    ['Bun.spawn([]);', 'worker/x.ts', '1: Bun is for src/os only'],
    [
      "import { a } from '../../sim/a.ts';",
      'spool/x.ts',
      '1: src/spool imports ../../sim/a.ts, which is not part of what is shipped',
    ],
    ['', 'elsewhere/x.ts', '1: src/elsewhere is in no layer: add it to LEVELS in scripts/check-layers.mjs'],
  ])('finds %j in src/%s', (text, path, expected) => {
    expect(offences({ [path]: text })).toEqual([expected]);
  });

  it('lets imports point down, and words stand in comments and texts', () => {
    const text = [
      "import { a } from '../os/a.ts';",
      "import { parseArgs } from 'node:util';",
      '// Date.now() is for src/os',
      "/* process.exit(1)\n setTimeout() */ const a = 'a long process. It ends';",
      'machine.processes.spawn(); clock.after(1, f);',
    ];
    expect(offences({ 'cli/x.ts': text.join('\n'), 'os/a.ts': 'export const a = Date.now();' })).toEqual([]);
  });
});

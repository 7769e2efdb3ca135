// @ts-check
/**
 * Checks who may know what in src/ (see CONTRIBUTING.md): imports point down only, layouts do not know each other,
 * and only src/os touches the machine. Import cycles are Biome's to find (noImportCycles).
 *
 *     node scripts/check-layers.mjs [SRC]     prints each offence, exits 1 if there is one
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Folders of src/ from the bottom up; those on one line may not import each other. */
const LEVELS = [
  ['os'],
  ['packet', 'html'],
  ['queue'],
  ['spool', 'dirqueue', 'fsq', 'uow', 'jetstream'],
  ['worker'],
  ['open'],
  ['notices'],
  ['relay', 'monitor', 'web', 'doctor'],
  ['cli'],
];

/** Files directly in src/: they put everything together. */
const TOP = LEVELS.length;

/**
 * What only src/os may use. Pure parts of Node (node:util) are free to all.
 * @type {readonly [name: string, pattern: RegExp][]}
 */
const BANNED = [
  [
    'a module of the machine',
    /\bfrom\s+'(node:(?!util')[^']*|bun(:[^']*)?|koffi)'|\bimport\('(node:(?!util')|bun|koffi)/,
  ],
  ['process', /(?<![\w./'`-])process\.\w/],
  ['Bun', /(?<![\w.'])Bun\./],
  ['Date', /(?<![\w.'])Date\.now\b|\bnew Date\b/],
  ['Math.random', /\bMath\.random\b/],
  ['timers', /(?<![\w.'])(setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/],
  ['performance', /(?<![\w.'])performance\./],
  ['crypto', /(?<![\w.'])crypto\./],
  ['console', /(?<![\w.'])console\./],
];

/**
 * @typedef {{ file: string, line: number, message: string }} Offence
 * @param {string} src
 * @returns {Offence[]}
 */
export function checkLayers(src) {
  return sourceFiles(src).flatMap((file) => checkFile(src, file));
}

/**
 * @param {string} src
 * @param {string} file
 */
function checkFile(src, file) {
  /** @type {Offence[]} */
  const offences = [];
  const folder = folderOf(src, file);
  const level = levelOf(folder);
  if (level === undefined) {
    return [
      {
        file,
        line: 1,
        message: `src/${folder} is in no layer: add it to LEVELS in scripts/check-layers.mjs`,
      },
    ];
  }
  const lines = withoutComments(readFileSync(file, 'utf8')).split('\n');
  lines.forEach((text, index) => {
    const say = (/** @type {string} */ message) => offences.push({ file, line: index + 1, message });
    for (const target of importsIn(text)) {
      const other = folderOf(src, resolve(dirname(file), target));
      if (other === '..') say(`${name(folder)} imports ${target}, which is not part of what is shipped`);
      const otherLevel = levelOf(other);
      if (other === folder || otherLevel === undefined) continue;
      if (otherLevel > level) say(`${name(folder)} imports upward, from ${name(other)}`);
      else if (otherLevel === level) say(`${name(folder)} imports ${name(other)}, which is beside it`);
    }
    if (folder === 'os') return;
    for (const [what, pattern] of BANNED) if (pattern.test(text)) say(`${what} is for src/os only`);
  });
  return offences;
}

/** @param {string} text */
function* importsIn(text) {
  for (const match of text.matchAll(/(?:\bfrom|\bimport\s*\(?)\s*'(\.[^']*)'/g)) yield match[1] ?? '';
}

/** Comments become blank, so that line numbers stay. @param {string} source */
function withoutComments(source) {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1');
}

/** The folder of src/ that a path is in, '' for files directly in it. @param {string} src @param {string} path */
function folderOf(src, path) {
  const parts = relative(src, path).split('/');
  return parts.length > 1 ? (parts[0] ?? '') : '';
}

/** @param {string} folder */
function levelOf(folder) {
  if (folder === '') return TOP;
  const level = LEVELS.findIndex((names) => names.includes(folder));
  return level < 0 ? undefined : level;
}

/** @param {string} folder */
function name(folder) {
  return folder === '' ? 'src' : `src/${folder}`;
}

/** @param {string} directory @returns {string[]} */
function sourceFiles(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const src = resolve(process.argv[2] ?? fileURLToPath(new URL('../src', import.meta.url)));
  const offences = checkLayers(src);
  for (const { file, line, message } of offences)
    console.error(`${relative(process.cwd(), file)}:${line}: ${message}`);
  if (offences.length > 0) process.exitCode = 1;
}

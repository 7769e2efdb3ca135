import type { Context } from './context.ts';

/**
 * Writes one JSON document, as `--json` promises: indented, its fields in a fixed order. Sequence numbers and other
 * numbers that may be larger than 2^53 are strings; bytes of a name that are not UTF-8 are lone surrogates, written
 * as \udc80 to \udcff.
 */
export async function printJson({ print }: Context, document: unknown): Promise<void> {
  await print(`${JSON.stringify(document, exact, 2)}\n`);
}

/** The same in one line, for commands that go on saying something. */
export async function printJsonLine({ print }: Context, document: unknown): Promise<void> {
  await print(`${JSON.stringify(document, exact)}\n`);
}

function exact(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

import type { Context } from './context.ts';

/**
 * Writes one JSON document, as `--json` promises: indented, its fields in a fixed order. Sequence numbers and other
 * numbers that may be larger than 2^53 are strings; bytes of a name that are not UTF-8 are lone surrogates, written
 * as \udc80 to \udcff.
 */
export async function printJson({ print }: Context, document: unknown): Promise<void> {
  const text = JSON.stringify(
    document,
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
    2,
  );
  await print(`${text}\n`);
}

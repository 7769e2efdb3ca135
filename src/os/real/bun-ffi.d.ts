/** The part of bun:ffi that we use. */
declare module 'bun:ffi' {
  type Call = (...args: (number | Uint8Array)[]) => number;
  export function dlopen(
    name: string,
    symbols: Record<string, { args: string[]; returns: string }>,
  ): { symbols: Record<string, Call | undefined> };
  export const read: { i32(address: number, offset: number): number };
}

/** Base64: of what is whole, and of streams, where what is left over of a piece goes with the next one. */

const GROUP_BYTES = 3;
const GROUP_CHARACTERS = 4;

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** Undefined when it is none. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const isBase64 = text.length % GROUP_CHARACTERS === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  return isBase64 ? new Uint8Array(Buffer.from(text, 'base64')) : undefined;
}

/** Pieces of ASCII text. */
export async function* base64Of(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const piece of pieces) {
    const bytes = Buffer.concat([rest, piece]);
    const whole = bytes.length - (bytes.length % GROUP_BYTES);
    yield bytes.toString('base64', 0, whole);
    rest = bytes.subarray(whole);
  }
  yield rest.toString('base64');
}

/** Takes text in pieces of any length; `end` throws a RangeError when it was no base64. */
export function base64Decoder(): { decode(text: Uint8Array): Uint8Array; end(): void } {
  let rest = '';
  let isOver = false;
  const refuse = () => new RangeError('Expected base64');
  return {
    decode: (text) => {
      const all = rest + Buffer.from(text).toString('latin1');
      const whole = all.length - (all.length % GROUP_CHARACTERS);
      const groups = all.slice(0, whole);
      rest = all.slice(whole);
      if (groups === '') return new Uint8Array();
      if (isOver || !/^[A-Za-z0-9+/]*={0,2}$/.test(groups)) throw refuse();
      isOver = groups.endsWith('=');
      return Buffer.from(groups, 'base64');
    },
    end: () => {
      if (rest !== '') throw refuse();
    },
  };
}

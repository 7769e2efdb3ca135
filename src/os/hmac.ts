import { encodeBytes } from './bytes.ts';

/** HMAC with SHA-256 (RFC 2104), of text as UTF-8. By what Node and Bun have of Web Crypto, which costs no time to load. */
export async function hmacSha256(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, new Uint8Array(encodeBytes(text))));
}

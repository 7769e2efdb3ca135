/** HMAC-SHA-256 of a text, in hexadecimal: who does not have the secret cannot make it, nor learn the secret from it. */
export async function messageCode(secret: string, text: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign']);
  const code = await crypto.subtle.sign('HMAC', key, encoder.encode(text));
  return [...new Uint8Array(code)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

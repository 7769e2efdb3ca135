/** Where programs of ours serve, as people write it and read it. */

import type { HttpAddress } from '../os/ports.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;
const LAST_PORT = 65_535;

/** Of a host as in an address or a URL. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Whether other machines can reach it. */
export function isReachable(address: HttpAddress): boolean {
  return address.kind === 'tcp' && !isLoopback(address.host);
}

/** Undefined when it is none. */
export function tcpAddress(host: string, port: string): HttpAddress | undefined {
  const isPort = /^\d{1,5}$/.test(port) && Number(port) <= LAST_PORT;
  return host === '' || !isPort ? undefined : { kind: 'tcp', host, port: Number(port) };
}

/** `HOST:PORT`, `[::1]:PORT` or `unix:/SOCKET`; undefined when it is none of these. */
export function readAddress(text: string): HttpAddress | undefined {
  if (text.startsWith('unix:/')) return { kind: 'unix', path: text.slice('unix:'.length) };
  const [, v6, other, port = ''] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]/\s]+)):(\d+)$/.exec(text) ?? [];
  return tcpAddress(v6 ?? other ?? '', port);
}

/** What a browser or a client is told to use. `port`: the one that was free, where any was asked for. */
export function urlOf(address: HttpAddress, port?: number): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `http://${host}:${port ?? address.port}/`;
}

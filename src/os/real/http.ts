import fs from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http, HttpAddress, HttpRequest, HttpResponse } from '../ports.ts';
import { hasErrno } from '../ports.ts';

/** By node:http, which Bun has too; loaded on first use, for it takes some ms of a start. */
export const realHttp: Http = {
  serve: async (address, limits, handle) => {
    const { createServer } = await import('node:http');
    const server = createServer((message, response) => {
      void answer(message, response, handle);
    });
    server.headersTimeout = limits.headersMs ?? limits.requestMs;
    server.requestTimeout = limits.requestMs;
    server.maxConnections = limits.connections;
    await listen(server, address);
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : undefined;
    return { port: address.kind === 'tcp' ? port : undefined, close: () => closeServer(server, address) };
  },
  request: async (url, request, idleMs, signal) => {
    const isUnix = url.startsWith('unix:');
    const target = new URL(isUnix ? 'http://localhost/' : url);
    const { request: begin } =
      target.protocol === 'https:' ? await import('node:https') : await import('node:http');
    const headers = Object.fromEntries(request.headers);
    const socket = isUnix ? { socketPath: url.slice('unix:'.length) } : {};
    const sending = begin(target, { method: request.method, headers, ...socket, signal, agent: false });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sending.once('response', resolve);
      sending.on('error', reject);
    });
    // Where the body cannot be sent, that is told; an answer that comes meanwhile says more.
    answered.catch(() => {});
    sending.setTimeout(idleMs, () => sending.destroy(timedOut(url)));
    const sent = send(sending, request.body);
    const message = await Promise.race([answered, sent.then(() => answered)]);
    return responseOf(message);
  },
};

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
  handle: (request: HttpRequest) => Promise<HttpResponse>,
): Promise<void> {
  try {
    const answered = await handle({
      method: message.method ?? '',
      path: message.url ?? '',
      headers: headersOf(message),
      body: message,
      from: message.socket.remoteAddress,
    });
    const isRead = message.readableEnded || message.complete;
    response.writeHead(answered.status, [
      ...answered.headers.map(([name, value]) => [name, value] as [string, string]),
      ...(isRead ? [] : [['connection', 'close'] as [string, string]]),
    ]);
    await send(response, answered.body);
    if (!isRead) message.destroy();
  } catch {
    // Whoever asked has gone, or the handler has nothing to say.
    message.destroy();
  }
}

type Sink = {
  write(chunk: Uint8Array): boolean;
  end(done: () => void): unknown;
  once(event: string, listener: () => void): unknown;
  removeListener(event: string, listener: () => void): unknown;
  readonly destroyed: boolean;
  destroy(error?: Error): unknown;
};

/** Waits for the other side to take it, however slow that is. */
async function send(sink: Sink, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      // One that is closed takes nothing and says so no more: there would be no end of waiting for it.
      if (!sink.destroyed && chunk.length > 0 && !sink.write(chunk) && !sink.destroyed) await drained(sink);
      if (sink.destroyed) throw new Error('the connection was closed');
    }
  } catch (error) {
    sink.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  await new Promise<void>((resolve) => {
    sink.once('close', resolve);
    sink.end(resolve);
  });
}

function drained(sink: Sink): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      sink.removeListener('drain', go);
      sink.removeListener('close', go);
      resolve();
    };
    sink.once('drain', go);
    sink.once('close', go);
  });
}

function headersOf(message: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}

function responseOf(message: IncomingMessage): HttpResponse {
  return { status: message.statusCode ?? 0, headers: [...headersOf(message)], body: message };
}

function timedOut(url: string): Error {
  return Object.assign(new Error(`ETIMEDOUT: ${url}`), { code: 'ETIMEDOUT', syscall: 'connect' });
}

/** Only we may use a socket in the file system: others would need to be let in by the directory's mode anyway. */
const SOCKET_UMASK = 0o177;

function listen(server: Server, address: HttpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    if (address.kind === 'tcp') {
      server.listen(address.port, address.host, resolve);
      return;
    }
    const before = process.umask(SOCKET_UMASK);
    try {
      server.listen(address.path, resolve);
    } finally {
      process.umask(before);
    }
  });
}

async function closeServer(server: Server, address: HttpAddress): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections?.();
  });
  if (address.kind === 'tcp') return;
  try {
    fs.unlinkSync(address.path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

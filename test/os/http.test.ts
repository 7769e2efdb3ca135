import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect, it } from 'vitest';
import { realHttp } from '../../src/os/real/http.ts';
import { eventually, useTemporary } from '../support/temporary.ts';

useTemporary();

it('an answer without end is ended when whoever asked has gone, also where nothing was said meanwhile', async () => {
  let ended = false;
  let speak = () => {};
  let heard: Promise<unknown> | undefined;
  const limits = { requestMs: 10_000, connections: 4 };
  const server = await realHttp.serve({ kind: 'tcp', host: '127.0.0.1', port: 0 }, limits, async (asked) => {
    heard = once((asked.body as unknown as IncomingMessage).socket, 'close');
    return {
      status: 200,
      headers: [],
      body: (async function* () {
        try {
          yield new Uint8Array(1);
          await new Promise<void>((resolve) => {
            speak = resolve;
          });
          for (;;) yield new Uint8Array(1);
        } finally {
          ended = true;
        }
      })(),
    };
  });
  const asking = request({ host: '127.0.0.1', port: server.port });
  const gone = new Promise<void>((resolve) => {
    asking.once('response', (response) => {
      response.once('data', () => asking.destroy());
      response.once('error', () => {});
      response.once('close', () => resolve());
    });
  });
  asking.on('error', () => {});
  asking.end();
  await gone;
  await heard;
  speak();
  await eventually(() => expect(ended).toBe(true), 5000);
  await server.close();
});

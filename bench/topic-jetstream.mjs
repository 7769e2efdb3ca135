// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createQueue, serve } from '../dist/index.js';

/** @typedef {Awaited<ReturnType<typeof createQueue>>} Queue */

const PROGRAM = 'nats-server';
const START_MS = 30_000;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {string} directory @param {number} count */
async function startServers(directory, count) {
  const ports = await Promise.all(Array.from({ length: 2 * count }, freePort));
  const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`);
  const children = ports.slice(0, count).map((port, n) => {
    const store = join(directory, `nats-${count}-${n}`);
    mkdirSync(store);
    const cluster = `cluster { name: c, listen: "127.0.0.1:${ports[count + n]}", routes: ${JSON.stringify(routes)} }`;
    const lines = [
      `server_name: n${n}`,
      `listen: "127.0.0.1:${port}"`,
      `jetstream { store_dir: "${store}" }`,
      ...(count > 1 ? [cluster] : []),
    ];
    writeFileSync(`${store}.conf`, lines.join('\n'));
    return spawn(PROGRAM, ['-c', `${store}.conf`], { stdio: 'ignore' });
  });
  for (const port of ports.slice(0, count)) await listening(port);
  return {
    addresses: ports
      .slice(0, count)
      .map((port) => `127.0.0.1:${port}`)
      .join(','),
    stop: async () => {
      for (const child of children) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
    },
  };
}

/** @param {number} port */
async function listening(port) {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await wait(50);
    } finally {
      socket.destroy();
    }
  }
}

/** @param {Queue} queue @param {number} few @param {number} many */
async function measure(queue, few, many) {
  /** @param {number} count @param {() => Promise<unknown>} work */
  const rate = async (count, work) => {
    const started = performance.now();
    await work();
    return (count * 1000) / (performance.now() - started);
  };
  const payload = 'a job of some bytes';
  const one = await rate(few, async () => {
    for (let n = 0; n < few; n++) await queue.add({ payload });
  });
  const all = await rate(many, () => queue.addAll(Array.from({ length: many }, () => ({ payload }))));
  const drain = await rate(few + many, async () => {
    const { counts } = await serve(queue, () => {}, { concurrency: 16 });
    if (counts.succeeded !== few + many)
      throw new Error(`${counts.succeeded} of ${few + many} jobs were run`);
  });
  return { 'add one by one': one, 'add all': all, 'drain by 16': drain };
}

/** @type {import('./report.mjs').Topic} */
export const jetstream = {
  name: 'jetstream',
  about:
    'a queue on one server of NATS, and on three, beside a directory: adding and draining; needs nats-server',
  run: async ({ directory, quick }) => {
    const [few, many] = quick ? [100, 500] : [1000, 5000];
    const path = join(directory, 'queue');
    const rows = [
      {
        name: 'directory, power-safe',
        values: await measure(await createQueue(path, { order: 'free' }), few, many),
      },
    ];
    for (const count of [1, 3]) {
      const servers = await startServers(directory, count);
      try {
        const queue = await createQueue(`nats://${servers.addresses}/bench`);
        const name = count === 1 ? 'one server' : `${count} servers, replicas ${count}`;
        rows.push({ name: `${name}, crash-safe`, values: await measure(queue, few, many) });
      } finally {
        await servers.stop();
      }
    }
    return [{ title: 'NATS JetStream beside a directory, jobs a second', unit: '', better: 'more', rows }];
  },
};

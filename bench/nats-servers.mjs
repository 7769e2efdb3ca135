// @ts-check
/** Servers of NATS for a topic, on free ports of this machine, with a store each. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const NATS_SERVER = 'nats-server';
const START_MS = 30_000;

/**
 * One by itself, or a cluster of several.
 *
 * @param {string} directory for their stores
 * @param {number} count
 * @returns {Promise<{ addresses: string, stop: () => Promise<void> } | undefined>} `HOST:PORT,HOST:PORT`; undefined where
 *   there is no such program, which is said
 */
export async function startServers(directory, count) {
  if (spawnSync(NATS_SERVER, ['--version']).error !== undefined) {
    console.error(`${NATS_SERVER} is not installed`);
    return undefined;
  }
  const ports = await Promise.all(Array.from({ length: 2 * count }, freePort));
  const clients = ports.slice(0, count);
  const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`);
  const children = clients.map((port, n) => {
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
    return spawn(NATS_SERVER, ['-c', `${store}.conf`], { stdio: 'ignore' });
  });
  const stop = async () => {
    for (const child of children) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  };
  try {
    for (const port of clients) await listening(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { addresses: clients.map((port) => `127.0.0.1:${port}`).join(','), stop };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
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

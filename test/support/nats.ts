/** Real servers of NATS, on free ports of this machine, each with a store of its own. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { eventually } from './temporary.ts';

const PROGRAM = 'nats-server';

/** Why these tests cannot run here, or undefined. With INTRAY_REQUIRE_PEERS=1 that is an error. */
export function natsLack(): string | undefined {
  try {
    execFileSync(PROGRAM, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    if (process.env.INTRAY_REQUIRE_PEERS === '1') {
      throw new Error(`INTRAY_REQUIRE_PEERS is set, but ${PROGRAM} is not installed`);
    }
    return `${PROGRAM} is not installed`;
  }
}

export type NatsServer = {
  readonly name: string;
  /** `HOST:PORT`. */
  readonly address: string;
  readonly pid: number;
  /** As a power cut of its process: kill -9. */
  kill(): Promise<void>;
  /** Stops it where it is, and lets it go on. */
  freeze(): void;
  thaw(): void;
  /** Begins again, with the same store and port. */
  start(): Promise<void>;
};

export type NatsServers = {
  readonly servers: readonly NatsServer[];
  /** `HOST:PORT,HOST:PORT,...` */
  readonly addresses: string;
};

/** A server, or a cluster of several, for the tests of a file; ended and removed after them. */
export function useNats(count = 1, settings = ''): NatsServers {
  const servers: Server[] = [];
  let directory = '';

  beforeAll(async () => {
    if (natsLack() !== undefined) return;
    directory = mkdtempSync(join(tmpdir(), 'intray-nats-'));
    const ports = await freePorts(2 * count);
    const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`);
    for (let n = 0; n < count; n++) {
      const [port = 0, route = 0] = [ports[n], ports[count + n]];
      const cluster = `cluster { name: c, listen: "127.0.0.1:${route}", routes: ${JSON.stringify(routes)} }`;
      const store = join(directory, `store-${n}`);
      mkdirSync(store);
      const lines = [
        `server_name: n${n}`,
        `listen: "127.0.0.1:${port}"`,
        `jetstream { store_dir: "${store}" }`,
        ...(count > 1 ? [cluster] : []),
        settings,
      ];
      const config = join(directory, `${n}.conf`);
      writeFileSync(config, lines.join('\n'));
      servers.push(new Server(`n${n}`, port, config));
    }
    await Promise.all(servers.map((server) => server.start()));
  });

  afterAll(async () => {
    for (const server of servers) await server.kill();
    if (directory !== '') rmSync(directory, { recursive: true });
  });

  return {
    servers,
    get addresses() {
      return servers.map(({ address }) => address).join(',');
    },
  };
}

class Server implements NatsServer {
  readonly name: string;
  readonly address: string;
  readonly #port: number;
  readonly #config: string;
  #child: ChildProcess | undefined;

  constructor(name: string, port: number, config: string) {
    this.name = name;
    this.address = `127.0.0.1:${port}`;
    this.#port = port;
    this.#config = config;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    this.#child = spawn(PROGRAM, ['-c', this.#config], { stdio: 'ignore' });
    await eventually(async () => {
      const socket = connect(this.#port, '127.0.0.1');
      try {
        await once(socket, 'connect');
      } finally {
        socket.destroy();
      }
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}

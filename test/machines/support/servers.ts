/** Machines made of namespaces, three of which are a cluster of NATS: see nats.sh. */

import { Machines } from './machines.ts';

const SERVERS = ['n1', 'n2', 'n3'] as const;
export type ServerName = (typeof SERVERS)[number];

/** What a server says of its streams, as far as it is asked here. */
type Said = {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly {
      readonly name: string;
      readonly cluster?: { readonly leader?: string };
    }[];
  }[];
};

export class Servers extends Machines<ServerName | 'c1'> {
  static async start(directory: string): Promise<Servers> {
    const servers = new Servers('nats.sh', directory);
    await servers.ready();
    return servers;
  }

  /** The queue as it is named on a machine, which asks its own server where it has one. */
  queue(machine: ServerName | 'c1', name: string): string {
    const addresses = machine === 'c1' ? '10.98.0.1,10.98.0.2,10.98.0.3' : '127.0.0.1';
    return `nats://${addresses}/${name}`;
  }

  /** The server that leads a queue's stream, as `asked` believes. */
  leader(queue: string, asked: ServerName): ServerName | undefined {
    const page = 'http://127.0.0.1:8222/jsz?accounts=true&streams=true';
    const script = `fetch(${JSON.stringify(page)}).then(async (answer) => console.log(await answer.text()))`;
    const { stdout } = this.call(asked, [process.execPath, '-e', script]);
    const { account_details: accounts = [] } = JSON.parse(stdout) as Said;
    const streams = accounts.flatMap(({ stream_detail: found = [] }) => found);
    const leader = streams.find(({ name }) => name === `intray-${queue}`)?.cluster?.leader;
    return SERVERS.find((name) => name === leader);
  }

  others(server: ServerName): ServerName[] {
    return SERVERS.filter((name) => name !== server);
  }
}

/** Connecting to servers: what they want to know of us, and in plain words why they do not let us in. */

import {
  connect as connectNode,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { decodeBytes } from '../os/bytes.ts';
import type { Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import type { Location } from './location.ts';

export const TIMEOUT_MS = 4000;
const RECONNECT_MS = 250;
/** A server that is stopped, or cut off, closes no connection: so long without an answer is long enough. */
const PING_MS = 3000;
const MOST_PINGS_OUT = 2;
const LONGEST_SECRET = 64 * 1024;
/** The first that can be asked for messages in the way that we do. */
const OLDEST = [2, 9, 3] as const;

/** Throws `not-reachable`, `not-possible` for servers that are of no use to us, and `bad-setting`. */
export async function connectNats(machine: Machine, location: Location): Promise<NatsConnection> {
  const { text } = location;
  const secrets = await credentials(machine);
  let nats: NatsConnection;
  try {
    nats = await connectNode({
      servers: [...location.servers],
      name: 'intray',
      timeout: TIMEOUT_MS,
      reconnectTimeWait: RECONNECT_MS,
      maxReconnectAttempts: -1,
      pingInterval: PING_MS,
      maxPingOut: MOST_PINGS_OUT,
      noAsyncTraces: true,
      ...secrets,
    });
  } catch (error) {
    throw shutOut(text, error);
  }
  const useless = whyUseless(nats);
  if (useless === undefined) return nats;
  await nats.close();
  const [sentence, hint] = useless;
  throw new QueueError('not-possible', `${text}: ${sentence}`, { hint });
}

/** From the environment, as other programs of NATS take them. */
async function credentials(machine: Machine): Promise<NodeConnectionOptions> {
  const env = machine.host.env();
  const [user, pass, token] = ['NATS_USER', 'NATS_PASSWORD', 'NATS_TOKEN'].map((name) => env.get(name));
  const creds = await fileNamedBy(machine, 'NATS_CREDS');
  const ca = await fileNamedBy(machine, 'NATS_CA');
  return {
    ...(creds === undefined ? {} : { authenticator: credsAuthenticator(creds) }),
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { tls: { ca: decodeBytes(ca) } }),
  };
}

async function fileNamedBy({ host, files }: Machine, name: string): Promise<Uint8Array | undefined> {
  const path = host.env().get(name);
  if (path === undefined) return undefined;
  try {
    return await readSmallFile(files, path, LONGEST_SECRET);
  } catch (error) {
    throw new QueueError('bad-setting', `${name}: ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function whyUseless({ info }: NatsConnection): readonly [sentence: string, hint: string] | undefined {
  const { version = '', jetstream, cluster } = info ?? {};
  const numbers = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const differing = OLDEST.findIndex((least, at) => least !== (numbers[at] ?? 0));
  if (differing >= 0 && (numbers[differing] ?? 0) < (OLDEST[differing] ?? 0)) {
    return [`the server is nats-server ${version}, which is too old`, `${OLDEST.join('.')} is the oldest.`];
  }
  // In a cluster others may have it.
  if (jetstream !== true && cluster === undefined) {
    return [
      'the server has no JetStream',
      'Start it with `-js`, or with `jetstream { store_dir: ... }` in its file.',
    ];
  }
  return undefined;
}

type Reason = readonly [pattern: RegExp, sentence: string, hint: string];

/** Words of the client, of servers and of TLS, and ours. */
const REASONS: readonly Reason[] = [
  [/credentials/i, 'the file that NATS_CREDS names holds none', 'Take the one that was made for that user.'],
  [
    /authorization|authentication/i,
    'the server does not let us in',
    'See whether NATS_USER and NATS_PASSWORD, NATS_TOKEN or NATS_CREDS are set, and right.',
  ],
  [/certificate.*expired/i, 'the certificate of the server has expired', 'It has to be renewed there.'],
  [
    /verify|self.signed|issuer/i,
    'nobody whom we trust vouches for the certificate of the server',
    'Name the file of its authority: NATS_CA=FILE.',
  ],
  [
    /altname|does not match certificate/i,
    'the certificate of the server is one for another name',
    'Name the server as its certificate does.',
  ],
  [
    /not support 'tls'/i,
    'the server does not speak TLS, which NATS_CA asks for',
    'Unset NATS_CA if the way there is safe otherwise.',
  ],
  [/ENOTFOUND|EAI_AGAIN|resolve/i, 'nobody knows that name', 'See whether it is spelled right.'],
  [/unexpected response/i, 'that is no server of NATS', 'See whether the port is right.'],
  [
    /timeout/i,
    'nobody answers who speaks as a server of NATS does',
    'See whether it runs, can be reached from here, and has that port.',
  ],
];

function shutOut(place: string, cause: unknown): QueueError {
  const { message = String(cause), code = '' } = cause as { message?: string; code?: string };
  const why = `${code} ${message}`;
  const [, sentence, hint] = REASONS.find(([pattern]) => pattern.test(why)) ?? [];
  return new QueueError(
    'not-reachable',
    `${place}: ${sentence ?? 'the servers cannot be reached'}: ${message}`,
    {
      cause,
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

import { answer } from '../../fsq/rpc/service.ts';
import type { HttpAddress } from '../../os/ports.ts';
import { QueueError } from '../../queue/errors.ts';
import { isReachable, tcpAddress, urlOf } from '../http-address.ts';
import { printable } from '../printable.ts';
import { untilStopped } from '../stop-signals.ts';
import { readToken } from '../token.ts';
import { type FsqArguments, type FsqContext, note } from './context.ts';

type Options = {
  readonly verbose: boolean;
  readonly workers: number | undefined;
  readonly 'token-file': string | undefined;
  readonly 'max-bytes': number | undefined;
  readonly timeout: number | undefined;
  readonly 'allow-anyone': boolean;
};

const WORKERS = 16;
const MAX_BYTES = 1024 * 1024 * 1024;
const TIMEOUT_SECONDS = 600;

/** HOST PORT, or unix:/SOCKET. Ends when told to; SIGHUP reads the token again. */
export async function serveJsonRpc(context: FsqContext, args: FsqArguments<Options>): Promise<number> {
  const { machine, constants } = context;
  const { options } = args;
  const address = addressOf(args.operand, args.more[0]);
  if (machine.http === undefined) throw new QueueError('not-possible', 'there is no network here');
  let token = await readToken(machine, options['token-file']);
  if (address.kind === 'tcp' && isReachable(address) && token === undefined && !options['allow-anyone']) {
    throw new QueueError(
      'bad-setting',
      `${address.host} can be reached by others: name a --token-file, or say --allow-anyone`,
    );
  }
  const { requestMs, limitBytes } = {
    requestMs: (options.timeout ?? TIMEOUT_SECONDS) * 1000,
    limitBytes: options['max-bytes'] ?? MAX_BYTES,
  };
  const limits = { requestMs, connections: options.workers ?? WORKERS };
  const server = await machine.http.serve(address, limits, (request) =>
    answer(machine, constants, { token, limitBytes, onCall }, request),
  );
  // Before SIGHUP is taken for an end.
  const forget = machine.host.onSignal('SIGHUP', () => {
    void readToken(machine, options['token-file']).then(
      (read) => {
        token = read;
      },
      (error: Error) => context.complain(`fsq: ${error.message}; the token from before is good still\n`),
    );
  });
  try {
    await context.print(`${urlOf(address, server.port)}\n`);
    // Closed before we die of what we are told.
    const serving = async (stop: AbortSignal) => {
      await ended(stop);
      await server.close();
    };
    await untilStopped(machine, serving, ['SIGTERM', 'SIGINT']);
    return constants.success;
  } finally {
    forget();
  }

  function onCall(method: string, outcome: string): Promise<void> {
    return note(context, options.verbose, `${printable(method)}: ${printable(outcome)}`);
  }
}

function ended(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => stop.addEventListener('abort', () => resolve()));
}

function addressOf(host: string, port: string | undefined): HttpAddress {
  if (host.startsWith('unix:/') && port === undefined)
    return { kind: 'unix', path: host.slice('unix:'.length) };
  const address = tcpAddress(host, port ?? '');
  if (address !== undefined) return address;
  throw new QueueError('bad-setting', 'Expected HOST and PORT, such as 127.0.0.1 8080, or unix:/SOCKET');
}

/** `intray serve`: a dashboard over queues. */

import { queuesAt } from '../../open/find.ts';
import { politeMachine } from '../../os/polite.ts';
import type { HttpAddress, Machine } from '../../os/ports.ts';
import { QueueError } from '../../queue/errors.ts';
import { newLooks } from '../../web/site/looks.ts';
import type { PostSettings } from '../../web/site/posts.ts';
import { newSite } from '../../web/site/site.ts';
import type { Context } from '../context.ts';
import { isReachable, urlOf } from '../http-address.ts';
import { untilStopped } from '../stop-signals.ts';
import { readToken } from '../token.ts';
import { UsageProblem } from '../usage.ts';
import { exitStatus } from './exit-codes.ts';
import type { Decoded, InQueue } from './looking.ts';

type Serve = InQueue &
  Decoded & {
    readonly more: readonly string[];
    readonly options: {
      readonly listen: HttpAddress | undefined;
      readonly 'token-file': string | undefined;
      readonly host: readonly string[];
      readonly actions: boolean;
      readonly audit: string | undefined;
      readonly 'max-upload': number | undefined;
    };
  };

const DEFAULT_ADDRESS: HttpAddress = { kind: 'tcp', host: '127.0.0.1', port: 8177 };
const LIMITS = { requestMs: 10_000, connections: 128 };
/** Of one that may bring a file; that something comes all the time is seen to besides. */
const UPLOAD_MS = 3_600_000;
const MOST_UPLOADED_BYTES = 100 * 1024 * 1024;

export async function serve(context: Context, args: Serve): Promise<number> {
  const { machine, print } = context;
  const { listen: address = DEFAULT_ADDRESS, 'token-file': tokenFile, host, decoder } = args.options;
  if (machine.http === undefined) throw new QueueError('not-possible', 'there is no network here');
  const token = await readToken(machine, tokenFile);
  if (isReachable(address) && token === undefined) {
    throw new QueueError('bad-setting', `${urlOf(address)} can be reached by others: name a --token-file`);
  }
  const paths = [args.operand, ...args.more];
  // A path that is mistyped is said now, and not on a page.
  await queuesAt(machine, paths);
  const looks = newLooks(politeMachine(machine), paths, { decoder });
  // The first page need not wait for it then.
  await looks.fresh(0);
  const changes = changesFor(args);
  const site = newSite(machine, looks, { token, hosts: hostsOf(machine, address, host) }, changes);
  const limits =
    changes === undefined ? LIMITS : { ...LIMITS, headersMs: LIMITS.requestMs, requestMs: UPLOAD_MS };
  const server = await machine.http.serve(address, limits, site.answer);
  await print(`${urlOf(address, server.port)}\n`);
  await untilStopped(machine, async (stop) => {
    await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
    site.close();
    await server.close();
  });
  return exitStatus('done');
}

/** Undefined where nothing can be changed. */
function changesFor({ options }: Serve): PostSettings | undefined {
  const { actions, audit, 'max-upload': fileBytes } = options;
  if (actions) return { audit, fileBytes: fileBytes ?? MOST_UPLOADED_BYTES };
  if (audit === undefined && fileBytes === undefined) return undefined;
  throw new UsageProblem('`--audit` and `--max-upload` are for `--actions`');
}

function hostsOf({ host }: Machine, address: HttpAddress, named: readonly string[]): ReadonlySet<string> {
  const own = address.kind === 'tcp' ? [address.host] : [];
  return new Set(['localhost', host.name, ...own, ...named].map((name) => name.toLowerCase()));
}

import { call, type Remote } from '../../fsq/rpc/client.ts';
import { push } from '../../fsq/rpc/push.ts';
import { QueueError } from '../../queue/errors.ts';
import { readToken } from '../token.ts';
import { type FsqArguments, type FsqContext, hostPlace, note } from './context.ts';

type Options = {
  readonly verbose: boolean;
  readonly protocol: string | undefined;
  readonly 'no-lock': boolean;
  readonly 'ignore-down': boolean;
  readonly trigger: boolean;
  readonly 'token-file': string | undefined;
  readonly timeout: number | undefined;
};

const TIMEOUT_SECONDS = 60;

/** REMOTE-URL SRC_QUEUE TRG_QUEUE HOST ITEM... */
export async function pushItems(context: FsqContext, args: FsqArguments<Options>): Promise<number> {
  const { machine, constants } = context;
  const { options, operand: url } = args;
  const [source = '', target = '', host = '', ...names] = args.more;
  if (names.length === 0)
    throw new QueueError('bad-setting', 'SRC_QUEUE, TRG_QUEUE, HOST and an ITEM are needed');
  if (!/^(https?:\/\/[^/]|unix:\/)/.test(url)) {
    throw new QueueError(
      'bad-setting',
      `Expected REMOTE-URL to be http://HOST:PORT/ or unix:/SOCKET, got ${JSON.stringify(url)}`,
    );
  }
  const remote: Remote = {
    url,
    token: await readToken(machine, options['token-file']),
    idleMs: (options.timeout ?? TIMEOUT_SECONDS) * 1000,
  };
  const place = await hostPlace(context, source, host);
  const problems: string[] = [];
  const works = push(machine, place, constants, remote, target, names, {
    ignoreDown: options['ignore-down'],
    lock: constants.lock && !options['no-lock'],
  });
  for await (const { name, outcome } of works) {
    if (outcome === 'sent') await note(context, options.verbose, `${name}: sent to ${url}, ${target}`);
    else problems.push(`${name}: ${outcome === 'busy' ? 'another has it' : 'there is no such item'}`);
  }
  if (options.trigger) await call(machine, remote, 'trigger_pull', [target]);
  if (problems.length > 0)
    throw new QueueError('not-delivered', `${place.directory}: ${problems.join('; ')}`);
  return constants.success;
}

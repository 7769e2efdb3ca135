/** Options that say who is told of jobs that fail, and where notices wait until then. */

import type { Notices } from '../../notices/notices.ts';
import type { NamedQueues } from '../../open/find.ts';
import type { Machine } from '../../os/ports.ts';
import { flag, optional, type Parse } from '../command.ts';
import { isLoopback } from '../http-address.ts';
import { UsageProblem } from '../usage.ts';
import { nonEmpty } from './options.ts';

const webhook: Parse<URL> = (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  return url !== undefined && isHttp && url.username === '' && url.password === ''
    ? { value: url }
    : { expected: 'a URL that begins with https:// or http://, without a user' };
};

export const NOTICE_OPTIONS = {
  'on-fail': optional(
    undefined,
    'COMMAND',
    'A shell line to run when a job has failed for good, run by /bin/sh -c: docs/notices.md',
    nonEmpty,
  ),
  webhook: optional(undefined, 'URL', 'Send a POST there when a job has failed for good', webhook),
  'webhook-secret-file': optional(
    undefined,
    'FILE',
    'Sign what is sent with the secret in this file, whsec_...',
    nonEmpty,
  ),
  'allow-http': flag('Let --webhook go unencrypted to another machine'),
  notices: optional(
    undefined,
    'DIR',
    'The queue in which notices wait until they are delivered [default: .NAME.notices beside DIR]',
    nonEmpty,
  ),
} as const;

export type NoticeArgs = {
  readonly 'on-fail': string | undefined;
  readonly webhook: URL | undefined;
  readonly 'webhook-secret-file': string | undefined;
  readonly 'allow-http': boolean;
  readonly notices: string | undefined;
};

export function checkNotices(options: NoticeArgs): void {
  const { 'on-fail': command, webhook: url, 'webhook-secret-file': secretFile, notices } = options;
  if (url === undefined && secretFile !== undefined) {
    throw new UsageProblem('`--webhook-secret-file` signs what goes to a `--webhook`, and there is none');
  }
  if (command === undefined && url === undefined && notices !== undefined) {
    throw new UsageProblem('`--notices` is where notices wait for `--on-fail` or `--webhook`: name one');
  }
  if (url?.protocol === 'http:' && !isLoopback(url.hostname) && !options['allow-http']) {
    throw new UsageProblem(
      '`--webhook http://` would go unencrypted to another machine: use https://, or say `--allow-http`',
    );
  }
}

/** Undefined when nobody is to be told. */
export async function noticesFor(
  machine: Machine,
  operand: string,
  queues: Pick<NamedQueues, 'find'>,
  options: NoticeArgs,
  onTrouble: (sentence: string) => void,
): Promise<Notices | undefined> {
  const { 'on-fail': command, webhook: url, 'webhook-secret-file': secretFile } = options;
  if (command === undefined && url === undefined) return undefined;
  const location = options.notices ?? (await noticesBeside(machine, operand));
  await requireApart(machine, location, queues);
  const { openNotices } = await import('../../notices/notices.ts');
  return openNotices(machine, {
    location,
    command,
    webhook: url === undefined ? undefined : { url: url.href, secretFile },
    onTrouble,
  });
}

/** The command would be run on notices, and jobs be delivered as such. */
async function requireApart(
  machine: Machine,
  location: string,
  queues: Pick<NamedQueues, 'find'>,
): Promise<void> {
  const { initQueue, isOnServers } = await import('../../open/create.ts');
  await initQueue(machine, location);
  const pathOf = async (of: string) => ((await isOnServers(machine, of)) ? of : machine.files.realPath(of));
  const path = await pathOf(location);
  for (const queue of await queues.find()) {
    if ((await pathOf(queue.location)) !== path) continue;
    throw new UsageProblem(`${location} is one of the queues that are worked: notices need one of their own`);
  }
}

/** Hidden, so that whoever works a directory of queues does not work this one too. */
async function noticesBeside(machine: Machine, operand: string): Promise<string> {
  const { isOnServers } = await import('../../open/create.ts');
  if (await isOnServers(machine, operand)) {
    throw new UsageProblem(
      `${operand} has no directory beside it: say with \`--notices DIR\` where notices wait`,
    );
  }
  const path = await machine.files.realPath(operand);
  const at = path.lastIndexOf('/');
  return `${path.slice(0, at)}/.${path.slice(at + 1)}.notices`;
}

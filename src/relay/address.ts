/** Queues on other machines, as they are named on a command line: `ssh://user@host:port/path`. */

import { QueueError } from '../queue/errors.ts';

export type SshAddress = {
  readonly user: string | undefined;
  /** A name, an IP address, or what the configuration of ssh calls it. */
  readonly host: string;
  readonly port: number | undefined;
  /** Of the queue there; `/~/queue` is in the home directory of whoever logs in. */
  readonly path: string;
};

const SCHEME = 'ssh://';

/** Undefined for what is no such address. Throws `bad-setting` for one that is not understood. */
export function parseSshAddress(text: string): SshAddress | undefined {
  if (!text.startsWith(SCHEME)) return undefined;
  const match = /^(?:([^@/]*)@)?(\[[0-9A-Fa-f:.%]+\]|[^@:/[\]]+)(?::(\d{1,5}))?(\/.*)$/s.exec(
    text.slice(SCHEME.length),
  );
  const [, user, host = '', port, path = ''] = match ?? [];
  const wrong =
    match === null ||
    user === '' ||
    [user ?? '', host].some((word) => word.startsWith('-') || /[\s\0]/.test(word)) ||
    Number(port ?? 22) > 65535 ||
    path.includes('\0');
  if (wrong) {
    throw new QueueError('bad-setting', `${text}: Expected ssh://HOST/PATH, ssh://USER@HOST:PORT/PATH`);
  }
  return {
    user,
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? undefined : Number(port),
    path: path.startsWith('/~/') ? path.slice('/~/'.length) : path,
  };
}

/** Where a queue on NATS is: `nats://HOST[:PORT][,HOST[:PORT]...]/QUEUE`. */

import { QueueError } from '../queue/errors.ts';

export type Location = {
  /** As it was named. */
  readonly text: string;
  /** `HOST:PORT`; any of them will do, and tells of the others of its cluster. */
  readonly servers: readonly string[];
  readonly name: string;
};

export const SCHEME = 'nats:';

const PORT = 4222;
const LONGEST_NAME = 64;

/** Throws `not-a-queue`. */
export function parseLocation(text: string): Location {
  const refuse = (why: string): never => {
    throw new QueueError('not-a-queue', `${text}: ${why}; it is nats://HOST[:PORT]/QUEUE`);
  };
  const [, authority = '', name = ''] = /^nats:\/\/([^/]*)\/?(.*?)\/*$/.exec(text) ?? [];
  if (authority.includes('@')) {
    return refuse(
      'a password there could be read by everybody on this machine: set NATS_USER and NATS_PASSWORD',
    );
  }
  if (name === '') return refuse('it names no queue');
  if (!/^[A-Za-z0-9_-]+$/.test(name) || name.length > LONGEST_NAME) {
    return refuse(`the name of a queue there has up to ${LONGEST_NAME} letters, digits, - and _`);
  }
  const servers = authority.split(',').map((host) => {
    const parts = /^(\[[0-9a-fA-F:]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(host);
    if (parts === null) return refuse(`${JSON.stringify(host)} is no HOST:PORT`);
    return `${parts[1]}:${parts[2] ?? PORT}`;
  });
  return { text, servers, name };
}

/** Two nodes of NNCP on one machine, each with its own configuration and spool. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of their configurations. */
export type NncpNodes = { readonly sender: string; readonly receiver: string };

type Keys = Readonly<Record<string, string>>;

/** `exec`: what the receiver runs for the sender. The files are `NAME.hjson` in `directory`. */
export function writeNncpNodes(
  directory: string,
  nodes: {
    readonly sender: string;
    readonly receiver: string;
    readonly exec: Readonly<Record<string, readonly string[]>>;
  },
): NncpNodes {
  const { sender, receiver, exec } = nodes;
  const sending = newKeys();
  const receiving = newKeys();
  const write = (name: string, own: Keys, neighbour: string, others: object) => {
    const spool = join(directory, `${name}-spool`);
    mkdirSync(spool);
    const config = {
      spool,
      log: join(directory, `${name}.log`),
      self: own,
      neigh: { self: publicOf(own), [neighbour]: others },
    };
    const path = join(directory, `${name}.hjson`);
    writeFileSync(path, JSON.stringify(config, undefined, 2));
    return path;
  };
  return {
    sender: write(sender, sending, receiver, publicOf(receiving)),
    receiver: write(receiver, receiving, sender, { ...publicOf(sending), exec }),
  };
}

function newKeys(): Keys {
  const config = execFileSync('nncp-cfgnew', ['-nocomments'], { encoding: 'utf8' });
  const own = /self: \{([\s\S]*?)\}/.exec(config)?.[1] ?? '';
  return Object.fromEntries(
    [...own.matchAll(/(\w+): (\w+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

function publicOf({ id = '', exchpub = '', signpub = '', noisepub = '' }: Keys): Keys {
  return { id, exchpub, signpub, noisepub };
}

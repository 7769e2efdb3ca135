/** An ssh server on this machine alone, with keys and a configuration of its own. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { eventually } from './fspl.ts';

/** Not on everybody's PATH. */
export const SSHD = '/usr/sbin/sshd';
/** Where the server of Debian goes when it has a key to check. */
const PRIVILEGE_SEPARATION = '/run/sshd';

export type Sshd = {
  readonly port: number;
  /** What runs ssh as the one user who may log in. */
  readonly ssh: string;
  /** That user may run this, and nothing else. */
  force(command: string): void;
  stop(): Promise<void>;
};

/** `directory` is to be there, and is written to. */
export async function startSshd(directory: string): Promise<Sshd> {
  const path = (name: string) => join(directory, name);
  for (const name of ['host', 'user']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(name)]);
  }
  if (process.getuid?.() === 0 && !existsSync(PRIVILEGE_SEPARATION)) mkdirSync(PRIVILEGE_SEPARATION);
  const port = await freePort();
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${path('host')}`,
    `AuthorizedKeysFile ${path('authorized')}`,
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    'SetEnv TZ=UTC',
  ];
  writeFileSync(path('config'), `${settings.join('\n')}\n`);
  const key = readFileSync(path('user.pub'), 'utf8');
  writeFileSync(path('authorized'), key);
  const server = spawn(SSHD, ['-D', '-e', '-f', path('config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  server.stderr?.on('data', (chunk) => said.push(String(chunk)));
  await eventually(() => said.join('').includes('Server listening') || exitSaid(server, said), 'sshd');
  const options = ['IdentitiesOnly=yes', 'StrictHostKeyChecking=no', 'LogLevel=ERROR'];
  const known = `-o UserKnownHostsFile=${path('known')}`;
  return {
    port,
    ssh: `ssh -F none -i ${path('user')} ${known} ${options.map((option) => `-o ${option}`).join(' ')}`,
    force: (command) => {
      const quoted = command.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
      writeFileSync(path('authorized'), `command="${quoted}",restrict ${key}`);
    },
    stop: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await ended;
    },
  };
}

function exitSaid(server: ChildProcess, said: readonly string[]): false {
  if (server.exitCode !== null) throw new Error(`sshd ended: ${said.join('')}`);
  return false;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Two Syncthings on this machine that keep one folder the same, and talk to nobody else. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './sshd.ts';

export type Syncthings = { stop(): Promise<void> };

type Node = {
  readonly home: string;
  readonly folder: string;
  readonly id: string;
  readonly port: number;
  readonly gui: number;
};

export async function startSyncthings(
  directory: string,
  folders: readonly [sender: string, receiver: string],
): Promise<Syncthings> {
  mkdirSync(directory);
  const nodes: Node[] = [];
  for (const [index, folder] of folders.entries()) {
    const home = join(directory, `${index}`);
    execFileSync('syncthing', ['generate', `--home=${home}`, '--skip-port-probing'], { stdio: 'ignore' });
    const id = execFileSync('syncthing', [`--home=${home}`, '--device-id'], { encoding: 'utf8' }).trim();
    mkdirSync(join(folder, '.stfolder'));
    nodes.push({ home, folder, id, port: await freePort(), gui: await freePort() });
  }
  for (const node of nodes) writeFileSync(join(node.home, 'config.xml'), configOf(node, nodes));
  const children = nodes.map(({ home }) =>
    spawn('syncthing', ['serve', `--home=${home}`, '--no-browser', '--no-restart', '--no-upgrade'], {
      stdio: 'ignore',
      env: { ...process.env, STNOUPGRADE: '1' },
    }),
  );
  return {
    stop: async () => {
      await Promise.all(children.map(ended));
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}

/** Source: docs.syncthing.net, "Configuration"; version 37 is that of 1.19. */
function configOf({ folder, port, gui }: Node, nodes: readonly Node[]): string {
  const shared = nodes.map(({ id }) => `<device id="${id}"></device>`).join('');
  const devices = nodes.map(
    ({ id, port: at }) => `<device id="${id}" name="${at}"><address>tcp://127.0.0.1:${at}</address></device>`,
  );
  const off = [
    'globalAnnounceEnabled',
    'localAnnounceEnabled',
    'relaysEnabled',
    'natEnabled',
    'crashReportingEnabled',
  ];
  return `<configuration version="36">
  <folder id="jobs" path="${folder}" type="sendreceive" rescanIntervalS="5" fsWatcherEnabled="true" fsWatcherDelayS="1">
    ${shared}<maxConflicts>10</maxConflicts>
  </folder>
  ${devices.join('\n  ')}
  <gui enabled="true" tls="false"><address>127.0.0.1:${gui}</address></gui>
  <options>
    <listenAddress>tcp://127.0.0.1:${port}</listenAddress>
    ${off.map((name) => `<${name}>false</${name}>`).join('\n    ')}
    <urAccepted>-1</urAccepted><reconnectionIntervalS>1</reconnectionIntervalS>
    <startBrowser>false</startBrowser><autoUpgradeIntervalH>0</autoUpgradeIntervalH>
  </options>
</configuration>
`;
}

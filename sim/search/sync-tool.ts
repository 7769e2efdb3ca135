/**
 * A tool that carries files from one host's directory to another's, as Syncthing and rsync do.
 *
 * It begins with any file it sees, also one that it has carried before and that is gone at the target since: so what
 * was deleted there comes back. Several are under way at once, and end in any order:
 *
 * | step    | at the target                                                            |
 * |---------|--------------------------------------------------------------------------|
 * | begin   | an empty file under a temporary name                                     |
 * | half    | half of the content                                                      |
 * | whole   | all of it, with the source's time of modification, synced                |
 * | rename  | under its own name, over what is there                                   |
 *
 * A tool that dies leaves its temporary files. The queue's own temporary files at the source are carried as well,
 * with whatever is in them at that time: to the tool they are files like others.
 */

import type { DirectoryNode, Disk, FileNode } from '../machine/disk.ts';
import type { Chance } from '../machine/random.ts';
import type { SimProcess, World } from '../machine/world.ts';

const TEMPORARY_NAMES = [
  (name: string) => `.syncthing.${name}.tmp`,
  (name: string) => `${name}.~tmp~`,
  (name: string) => `.${name}.x7Bd2q`,
] as const;

const PAUSES_MS = [1, 20, 300] as const;

export type Route = { readonly from: Disk; readonly to: Disk; readonly directory: string };

type Transfer = {
  readonly name: string;
  readonly temporary: string;
  readonly content: Uint8Array;
  readonly modifiedMs: number;
  node: FileNode | undefined;
  written: number;
};

/** The tool's main function: it goes on until it is killed. `deletes`: what is gone at the target goes at the source. */
export async function carry(
  world: World,
  process: SimProcess,
  route: Route,
  dice: Chance,
  deletes: boolean,
): Promise<number> {
  const transfers: Transfer[] = [];
  const delivered = new Set<string>();
  const step = (name: string, path: string, action: () => void) =>
    world.step(process, { name: `sync ${name}`, path }, action);
  for (;;) {
    const under = transfers.length > 0 && dice.flip(0.7) ? dice.pick(transfers) : undefined;
    if (under !== undefined) {
      await step('go on', under.temporary, () => {
        if (!goOn(under, route, world.nowMs)) return;
        transfers.splice(transfers.indexOf(under), 1);
        delivered.add(under.name);
      });
    } else if (deletes && dice.flip(0.2)) {
      await step('delete', route.directory, () => deleteOne(route, delivered));
    } else {
      await step('begin', route.directory, () => {
        const next = begin(route, dice);
        if (next !== undefined) transfers.push(next);
      });
    }
    await new Promise<void>((resolve) => void world.after(process, dice.pick(PAUSES_MS), resolve));
  }
}

/** In the end everything arrives, and everything that was deleted comes back once more. */
export function carryAll(route: Route): void {
  for (const name of filesIn(route.from, route.directory).keys()) {
    const transfer = transferOf(route, name, TEMPORARY_NAMES[0]);
    while (transfer !== undefined && !goOn(transfer, route, 0)) {
      // Step by step to its end.
    }
  }
}

function begin(route: Route, dice: Chance): Transfer | undefined {
  const names = [...filesIn(route.from, route.directory).keys()];
  return names.length === 0 ? undefined : transferOf(route, dice.pick(names), dice.pick(TEMPORARY_NAMES));
}

function transferOf(
  route: Route,
  name: string,
  temporaryName: (name: string) => string,
): Transfer | undefined {
  const source = filesIn(route.from, route.directory).get(name);
  if (source?.kind !== 'file') return undefined;
  const { content, modifiedMs } = source;
  return { name, temporary: temporaryName(name), content, modifiedMs, node: undefined, written: 0 };
}

/** One step. True: it has its own name now. */
function goOn(transfer: Transfer, { to, directory }: Route, nowMs: number): boolean {
  const { content, name, temporary } = transfer;
  const parent = directoryAt(to, directory);
  if (transfer.node === undefined || parent.entries.get(temporary) !== transfer.node) {
    if (parent.entries.has(temporary)) to.remove(parent, temporary);
    transfer.node = to.newFile();
    transfer.written = 0;
    to.add(parent, temporary, transfer.node);
  } else if (transfer.written < content.length) {
    const end = transfer.written === 0 ? content.length >> 1 : content.length;
    to.write(transfer.node, content.subarray(transfer.written, end), transfer.written, nowMs);
    transfer.written = end;
    transfer.node.modifiedMs = transfer.modifiedMs;
    if (end === content.length) to.fsync(transfer.node);
  } else {
    const node = transfer.node;
    to.rename({ parent, name: temporary, node }, { parent, name, node: parent.entries.get(name) }, node);
    to.fsync(parent);
    return true;
  }
  return false;
}

function deleteOne({ from, to, directory }: Route, delivered: Set<string>): void {
  const [left, arrived] = [filesIn(from, directory), filesIn(to, directory)];
  for (const name of delivered) {
    if (!left.has(name) || arrived.has(name)) continue;
    from.remove(directoryAt(from, directory), name);
    return;
  }
}

function filesIn(disk: Disk, directory: string): DirectoryNode['entries'] {
  return directoryAt(disk, directory).entries;
}

function directoryAt(disk: Disk, path: string): DirectoryNode {
  const node = disk.find(path, 'sync');
  if (node.kind !== 'directory') throw new Error(`${path} is no directory`);
  return node;
}

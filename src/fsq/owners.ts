/** Users and groups, by name or number, and giving files to them. */

import { decodeBytes } from '../os/bytes.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { QueueError } from '../queue/errors.ts';

/** To whom a new file belongs; undefined: as the system has it. */
export type Owner = { readonly user: number | undefined; readonly group: number | undefined };

const LIMIT_BYTES = 16 * 1024 * 1024;
/** For chown(2): leave it. */
const UNCHANGED = -1;

/** Throws `bad-setting` for a name that is not known here. */
export async function ownerOf(machine: Machine, user: string, group: string): Promise<Owner> {
  return {
    user: await numberOf(machine, 'user', '/etc/passwd', user),
    group: await numberOf(machine, 'group', '/etc/group', group),
  };
}

/** Gives a file its mode, and its owner where there is one. */
export async function dress(
  { files }: Machine,
  descriptor: Descriptor,
  mode: number,
  { user, group }: Owner,
): Promise<void> {
  if (user !== undefined || group !== undefined) {
    if (files.fchown === undefined) throw new QueueError('not-possible', 'files cannot be given away here');
    await files.fchown(descriptor, user ?? UNCHANGED, group ?? UNCHANGED);
  }
  // After chown(2), which takes setuid and setgid away.
  await files.fchmod(descriptor, mode);
}

async function numberOf(
  { files }: Machine,
  what: 'user' | 'group',
  table: string,
  name: string,
): Promise<number | undefined> {
  if (name === '') return undefined;
  if (/^\d{1,10}$/.test(name)) return Number(name);
  const lines = decodeBytes(await readSmallFile(files, table, LIMIT_BYTES)).split('\n');
  const [, , number] = lines.map((line) => line.split(':')).find(([known]) => known === name) ?? [];
  if (number !== undefined && /^\d+$/.test(number)) return Number(number);
  throw new QueueError(
    'bad-setting',
    `there is no ${what} ${JSON.stringify(name)} in ${table}; its number will do`,
  );
}

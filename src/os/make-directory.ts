import { type Files, hasErrno } from './ports.ts';

/** One directory, whose parent must exist. False when there is something of that name already. */
export async function makeDirectory({ files }: { readonly files: Files }, path: string): Promise<boolean> {
  try {
    await files.mkdir(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

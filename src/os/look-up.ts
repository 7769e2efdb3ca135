import { type FileStatus, type Files, hasErrno, type Step } from './ports.ts';

/** What stat(2) says of a path; undefined when nothing is there. Follows symbolic links. */
export function lookUp(files: Files, path: string): Step<FileStatus | undefined> {
  return files.lookUp === undefined ? statOrNothing(files, path) : files.lookUp(path);
}

async function statOrNothing(files: Files, path: string): Promise<FileStatus | undefined> {
  try {
    return await files.stat(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

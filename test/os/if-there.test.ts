import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { entriesOf, ifThere, isThere, sizeOf, unlinkIfThere } from '../../src/os/if-there.ts';
import { makeDirectory } from '../../src/os/make-directory.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { systemError } from '../support/faulty-files.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

describe('what may be gone', () => {
  it('is told as it is when it is there', async () => {
    const directory = temporary.path('here');
    expect(await makeDirectory(realMachine, directory)).toBe(true);
    expect(await makeDirectory(realMachine, directory)).toBe(false);
    writeFileSync(`${directory}/file`, 'four');
    expect(await isThere(realMachine, `${directory}/file`)).toBe(true);
    expect(await sizeOf(realMachine, `${directory}/file`)).toBe(4);
    expect(await entriesOf(realMachine, directory)).toEqual([{ name: 'file', kind: 'file' }]);
    expect(await unlinkIfThere(realMachine, `${directory}/file`)).toBe(true);
    expect(await entriesOf(realMachine, directory)).toEqual([]);
  });

  it.each(['nothing', 'file/below', 'link'])('is no error when it is not: %s', async (name) => {
    const directory = temporary.path('here');
    mkdirSync(directory);
    writeFileSync(`${directory}/file`, '');
    symlinkSync('nowhere', `${directory}/link`);
    const path = `${directory}/${name}`;
    expect(await isThere(realMachine, path)).toBe(false);
    expect(await sizeOf(realMachine, path)).toBeUndefined();
    expect(await entriesOf(realMachine, path)).toEqual([]);
    // A link to nothing is a name all the same.
    expect(await unlinkIfThere(realMachine, path)).toBe(name === 'link');
  });

  it.each(['EIO', 'EACCES', 'ENOSPC'])('is no answer to another error: %s', async (code) => {
    const look = async () => {
      throw systemError(code, 'stat');
    };
    await expect(ifThere(look, undefined)).rejects.toMatchObject({ code });
  });
});

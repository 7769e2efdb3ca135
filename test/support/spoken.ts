import { decodeBytes } from '../../src/os/bytes.ts';
import { type Files, type Machine, STDERR, STDOUT } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { machineWith } from './machines.ts';

/** A machine on which what a command says is kept. */
export function listening(ports: Partial<Machine> = {}) {
  const said = { stdout: '', stderr: '' };
  const { write } = ports.files ?? realMachine.files;
  const files: Files = {
    ...(ports.files ?? realMachine.files),
    write: (descriptor, bytes) => {
      if (descriptor === STDOUT) said.stdout += decodeBytes(bytes);
      else if (descriptor === STDERR) said.stderr += decodeBytes(bytes);
      else return write(descriptor, bytes);
    },
  };
  return { machine: machineWith({ ...ports, files }), said };
}

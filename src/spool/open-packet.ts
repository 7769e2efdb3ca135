/** Opening a job file: straight, or through a decoder command that unpacks or decrypts it. */

import { closeQuietly } from '../os/close-quietly.ts';
import {
  type Child,
  type Descriptor,
  type Exit,
  type FileStatus,
  type Machine,
  STDERR,
} from '../os/ports.ts';
import { exitWithin, stopGroup } from '../os/stop-group.ts';
import type { Damage, HeaderResult, PacketHeader } from '../packet/header.ts';
import { damaged } from '../packet/header.ts';
import { isUnfinished } from '../packet/pipe-mark.ts';
import { peekHeader, readHeader } from '../packet/read.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';

/** A shell command that reads a whole job file on its standard input and writes the packet to its output. */
export type Decoder = {
  readonly command: string;
  /** Runs it as `shell -c command`. */
  readonly shell: string;
  /** One that asks for a passphrase must share the terminal we were started from. */
  readonly group: 'own' | 'ours';
  /** Aborted: a decoder that is running is ended, and its job has not been decoded. */
  readonly stop?: AbortSignal | undefined;
};

/** A decoder as users name it, run by their shell: `$SHELL -c command`. */
export async function decoderFor({ host }: Machine, command: string, stop?: AbortSignal): Promise<Decoder> {
  const group = (await host.inForeground()) ? 'ours' : 'own';
  return { command, shell: host.env().get('SHELL') ?? '/bin/sh', group, stop };
}

/** How long a decoder whose output is no longer wanted may take to notice, and then to obey. */
const DECODER_NOTICE_MS = 200;
const DECODER_GRACE_MS = 2000;

/** 128 + SIGPIPE: how a shell reports a command whose reader went away. */
const EXIT_BY_SIGPIPE = 141;
const SIGPIPE = 13;

export type OpenedPacket = {
  readonly kind: 'packet';
  readonly header: PacketHeader;
  /** At the payload's first byte: a file, or the decoder's pipe. */
  readonly payload: Descriptor;
  /** How many names the job file has, as far as the machine knows. */
  readonly links: number;
  /** Closes it, the rest of the payload unread and unwanted. */
  discard(): Promise<void>;
  /**
   * Closes it after somebody has read the payload as far as they cared to. Resolves with a sentence when the
   * decoder failed, so that what was read cannot be trusted.
   */
  finish(): Promise<string | undefined>;
};

/** Opens a job file and reads its header, not a byte further. Throws a SystemError when it cannot be opened. */
export async function openPacket(
  machine: Machine,
  path: string,
  decoder?: Decoder,
): Promise<OpenedPacket | Damage> {
  const { files } = machine;
  const file = await files.open(path, 'read-job');
  try {
    const status = await files.fstat(file);
    const objection = objectionTo(status);
    if (objection !== undefined) return await closing(objection);
    const { links = 1 } = status;
    if (decoder !== undefined) {
      const opened = await openDecoded(machine, file, links, decoder);
      await closeQuietly(files, file);
      return opened;
    }
    const result = await readHeader(files, file);
    if (result.kind === 'damaged') return await closing(result);
    const close = async () => {
      await closeQuietly(files, file);
      return undefined;
    };
    return { kind: 'packet', header: result.header, payload: file, links, discard: close, finish: close };
  } catch (error) {
    await closeQuietly(files, file);
    throw error;
  }

  async function closing(damage: Damage): Promise<Damage> {
    await closeQuietly(files, file);
    return damage;
  }
}

/** Reads the header of a job file, and no more of it is wanted. Throws a SystemError when it cannot be opened. */
export async function peekPacket(machine: Machine, path: string, scratch: Uint8Array): Promise<HeaderResult> {
  const { files } = machine;
  const file = await files.open(path, 'read-job');
  try {
    return objectionTo(await files.fstat(file)) ?? (await peekHeader(files, file, scratch));
  } finally {
    await closeQuietly(files, file);
  }
}

/** Why this open file cannot be a job, whatever is in it. */
function objectionTo(status: FileStatus): Damage | undefined {
  if (status.kind !== 'file') return damaged('shape', 'it is not a regular file');
  if (isUnfinished(status)) return damaged('truncated', 'the program that writes it has not finished');
  return undefined;
}

/** The decoder has descriptors of its own after the start; `file` stays the caller's to close. */
async function openDecoded(
  machine: Machine,
  file: Descriptor,
  links: number,
  decoder: Decoder,
): Promise<OpenedPacket | Damage> {
  const { files, processes, clock, host } = machine;
  const { readEnd, writeEnd } = await processes.pipe();
  let child: Child;
  try {
    child = await processes.spawn({
      program: decoder.shell,
      args: ['-c', decoder.command],
      env: host.env(),
      stdin: file,
      stdout: writeEnd,
      stderr: STDERR,
      group: decoder.group,
    });
  } catch (error) {
    await closeQuietly(files, readEnd);
    throw new QueueError(
      'decoder-failed',
      `cannot start the decoder's shell ${decoder.shell}: ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    await closeQuietly(files, writeEnd);
  }

  const release = endOnStop(machine, child, decoder.stop);
  const discard = async () => {
    await closeQuietly(files, readEnd);
    // Without a reader it ends at its next write, or has ended already.
    if ((await exitWithin(clock, child, DECODER_NOTICE_MS)) === undefined)
      await stopGroup(clock, child, DECODER_GRACE_MS);
    release();
  };
  const finish = async () => {
    // A decoder that is cut off may call that a failure. Only one that was heard to its end is asked how it went.
    let unread: number;
    try {
      unread = await files.readAside(readEnd, new Uint8Array(1), 0, 1);
    } finally {
      await closeQuietly(files, readEnd);
    }
    const exit = await child.exit;
    release();
    return unread > 0 ? undefined : decoderFailure(exit);
  };
  let result: HeaderResult;
  try {
    // It may think for long before it writes: meanwhile we must be able to stop.
    result = await readHeader({ read: (...args) => files.readAside(...args) }, readEnd);
  } catch (error) {
    await discard();
    throw error;
  }
  if (result.kind === 'header') {
    return { kind: 'packet', header: result.header, payload: readEnd, links, discard, finish };
  }
  if (result.damage !== 'empty' && result.damage !== 'truncated') {
    await discard();
    return result;
  }
  // Its output has ended too soon: how it ended itself says more.
  const failure = await finish();
  return failure === undefined ? result : { ...result, message: `${failure}; ${result.message}` };
}

/** Ends the decoder when we are told to stop. Returns how to let go of that. */
function endOnStop({ clock }: Machine, child: Child, stop: AbortSignal | undefined): () => void {
  const end = () => void stopGroup(clock, child, DECODER_GRACE_MS);
  stop?.addEventListener('abort', end);
  if (stop?.aborted) end();
  return () => stop?.removeEventListener('abort', end);
}

function decoderFailure(exit: Exit): string | undefined {
  if (exit.kind === 'signaled') {
    return exit.signal === SIGPIPE ? undefined : `the decoder was killed by signal ${exit.signal}`;
  }
  if (exit.code === 0 || exit.code === EXIT_BY_SIGPIPE) return undefined;
  return `the decoder ended with exit code ${exit.code}`;
}

import type { Descriptor, Files } from '../os/ports.ts';
import { copyAll } from '../os/transfer.ts';
import { encodeHeader } from './encode.ts';
import type { PacketHeader } from './header.ts';
import { markUnfinished } from './pipe-mark.ts';

/**
 * Writes a packet in constant memory: the header, then all that `payload` has (nothing when left out). When it
 * fails or dies on the way, `target` keeps the mark of an unfinished packet; see pipe-mark.ts.
 */
export async function writePacket(
  files: Files,
  target: Descriptor,
  header: PacketHeader,
  payload?: Descriptor,
): Promise<void> {
  const finished = await markUnfinished(files, target);
  await files.write(target, encodeHeader(header));
  if (payload !== undefined) await copyAll(files, payload, target);
  await finished();
}

/** What a fault test needs of the machine, and the sentence for its skip. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export type FileSystem = 'ext4' | 'xfs' | 'btrfs';

/**
 * Why these tests cannot run here, or undefined. With INTRAY_REQUIRE_PEERS=1 that is an error: then nothing may
 * be skipped.
 */
export function lacking(needs: {
  readonly tools: readonly string[];
  readonly mounts?: boolean;
}): string | undefined {
  const reason = firstLacking(needs);
  if (reason !== undefined && process.env.INTRAY_REQUIRE_PEERS === '1') {
    throw new Error(`INTRAY_REQUIRE_PEERS is set, but ${reason}`);
  }
  return reason;
}

function firstLacking({
  tools,
  mounts = false,
}: {
  readonly tools: readonly string[];
  readonly mounts?: boolean;
}): string | undefined {
  if (mounts && process.getuid?.() !== 0) return 'only root may mount';
  if (mounts && !existsSync('/dev/loop-control')) return 'there are no loop devices';
  for (const tool of tools) {
    const found = spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', tool]);
    if (found.status !== 0) return `${tool} is not installed`;
  }
  return undefined;
}

/** INTRAY_LONG=1 makes every storm ten times as long. */
export const LONGER = process.env.INTRAY_LONG === '1' ? 10 : 1;

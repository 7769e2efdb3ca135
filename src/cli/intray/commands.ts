/** The commands of `intray` itself, in the order in which its help lists them. */

import type { CommandSpec } from '../command.ts';

export const COMMANDS: readonly CommandSpec[] = [];

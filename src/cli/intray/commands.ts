/** The commands of `intray` itself, in the order in which its help lists them. */

import type { CommandSpec } from '../command.ts';
import { OPERATING } from './operating-commands.ts';

export const COMMANDS: readonly CommandSpec[] = [...OPERATING];

/** What `intray --help` and its manual page say. */

import type { CommandSpec } from '../command.ts';
import type { Program } from '../help.ts';
import { VERSION } from '../version.ts';
import { EXIT_CODES } from './exit-codes.ts';

export function programOf(commands: readonly CommandSpec[]): Program {
  return {
    name: 'intray',
    version: `intray ${VERSION}`,
    summary: 'Job queues that are plain directories',
    commands,
    programs: [
      ['fspl', 'The commands of Filespooler; `intray fspl --help` lists them'],
      ['fsq', 'The commands of fsq; `intray fsq --help` lists them'],
      ['dq-submit', 'Of IPC::DirQueue, as are dq-deque, dq-server and dq-list; `intray dq-submit --help`'],
    ],
    options: {},
    exits: Object.values(EXIT_CODES).map(({ status, meaning }) => [String(status), meaning]),
    examples: [
      'intray init ~/queue',
      'echo hello | intray add ~/queue',
      'intray work ~/queue -j 4 -- ./do-something',
      'intray doctor ~/queue',
      'intray fspl queue-process -q ~/queue tar -- -xf - -C /backups',
      'intray help fspl prepare',
    ],
  };
}

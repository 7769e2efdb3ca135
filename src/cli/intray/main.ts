import type { Machine } from '../../os/ports.ts';
import { newContext } from '../context.ts';
import { VERSION } from '../version.ts';

const HELP = `intray ${VERSION}
Job queues that are plain directories

Usage: intray fspl COMMAND ...     the commands of Filespooler; \`intray fspl --help\` lists them

Options:
  -h, --help       Print this help
  -V, --version    Print the version

Examples:
  intray fspl queue-init -q ~/queue
  intray fspl queue-process -q ~/queue tar -- -xf - -C /backups

Called by the name fspl (a link is enough), this program is fspl.
`;

/** The `intray` command. Commands of its own are yet to come; it hands over to `fspl`. */
export async function intray(machine: Machine, argv: readonly string[]): Promise<number> {
  const { print, complain } = newContext(machine, 'intray', 'info');
  const [word] = argv;
  if (word === '-V' || word === '--version') {
    await print(`intray ${VERSION}\n`);
    return 0;
  }
  if (word === '-h' || word === '--help' || word === 'help') {
    await print(HELP);
    return 0;
  }
  await complain(word === undefined ? HELP : `error: there is no command "${word}"; try intray --help\n`);
  return 2;
}

import { encodeBytes } from '../os/bytes.ts';
import { type Machine, STDERR, STDOUT } from '../os/ports.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a running command has: the machine, and where its words go. */
export type Context = {
  readonly machine: Machine;
  /** Writes to standard output, waiting for whoever reads it. */
  readonly print: (text: string) => Promise<void>;
  /** Writes to standard error. */
  readonly complain: (text: string) => Promise<void>;
  /** Says something on standard error, if the level asked for includes it. */
  readonly log: (level: LogLevel, message: string) => Promise<void>;
};

export function newContext(machine: Machine, program: string, level: LogLevel): Context {
  const least = LOG_LEVELS.indexOf(level);
  const complain = async (text: string) => machine.files.write(STDERR, encodeBytes(text));
  return {
    machine,
    print: async (text) => {
      try {
        await machine.files.write(STDOUT, encodeBytes(text));
      } catch (error) {
        throw new QueueError('output-failed', `cannot write our output: ${reasonOf(error)}`, {
          cause: error,
        });
      }
    },
    complain,
    log: async (of, message) => {
      if (LOG_LEVELS.indexOf(of) < least) return;
      const label = of === 'warn' ? 'warning' : of;
      await complain(`${program}: ${label}: ${message}\n`);
    },
  };
}

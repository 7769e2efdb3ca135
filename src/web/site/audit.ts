/**
 * Who has changed what through the dashboard: a line of JSON for each action, also for those that were refused.
 *
 * The file is opened for each line, so that it may be rotated; and before the action, for what cannot be written down is
 * not done.
 */

import { encodeBytes } from '../../os/bytes.ts';
import { formatMs, toMs } from '../../os/calendar.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type HttpRequest, type Machine, STDERR } from '../../os/ports.ts';
import { QueueError, reasonOf } from '../../queue/errors.ts';

export type Deed = {
  readonly action: string;
  readonly queue: string | undefined;
  readonly job: string | undefined;
};

export type Ending = {
  readonly result: 'done' | 'unchanged' | 'refused' | 'failed';
  /** Why, or how many. */
  readonly message?: string | undefined;
};

export type Audit = {
  /** Does it and writes down how it ended; a failure is thrown on. Throws `not-written` when nothing can be written. */
  around<T extends { readonly ending: Ending }>(
    request: HttpRequest,
    deed: Deed,
    act: () => Promise<T>,
  ): Promise<T>;
};

/** `path` undefined: standard error, which a service manager keeps. */
export function newAudit(machine: Machine, path: string | undefined): Audit {
  const { files } = machine;
  const open = async () => {
    try {
      return path === undefined ? STDERR : await files.open(path, 'append');
    } catch (error) {
      const why = `${path}: it cannot be written down who did it: ${reasonOf(error)}`;
      throw new QueueError('not-written', why, { cause: error });
    }
  };
  return {
    around: async (request, deed, act) => {
      const target = await open();
      const write = (ending: Ending) =>
        files.write(target, encodeBytes(line(machine, request, deed, ending)));
      try {
        const done = await act().catch(async (error) => {
          await write({ result: 'failed', message: reasonOf(error) });
          throw error;
        });
        await write(done.ending);
        return done;
      } finally {
        if (path !== undefined) await closeQuietly(files, target);
      }
    },
  };
}

function line({ clock }: Machine, request: HttpRequest, deed: Deed, ending: Ending): string {
  const at = formatMs(toMs(clock.now()));
  const who = { from: request.from ?? 'socket', user: userOf(request) };
  return `${JSON.stringify({ at, ...who, ...deed, ...ending })}\n`;
}

/** Any name goes with the token, so this is what somebody says of himself. */
function userOf({ headers }: HttpRequest): string | undefined {
  const [, pair = ''] = /^Basic +(\S+)$/i.exec(headers.get('authorization') ?? '') ?? [];
  try {
    return atob(pair).split(':')[0] || undefined;
  } catch {
    return undefined;
  }
}

/** What a relay has to tell, and the two ways of telling it: in words, and as a line of JSON for each. */

import { formatMs, toMs } from '../../os/calendar.ts';
import { STDERR } from '../../os/ports.ts';
import { shellQuote } from '../../os/shell.ts';
import { formatSize } from '../../os/size.ts';
import { formatSpan } from '../../os/span.ts';
import type { Queue, SharedIdle } from '../../queue/contract.ts';
import { counted } from '../../queue/words.ts';
import type { Context } from '../context.ts';
import { printJsonLine } from '../json.ts';
import { whyStalled } from './stalled-words.ts';

export type RelayEvent =
  /** `id`: what it is called at the target. */
  | {
      readonly event: 'moved';
      readonly job: string;
      readonly id: string;
      readonly duplicate: boolean;
      readonly bytes?: number;
    }
  /** It failed at the source. */
  | { readonly event: 'refused'; readonly job: string; readonly reason: string }
  | { readonly event: 'full' }
  /** `again`: it is tried again. */
  | { readonly event: 'trouble'; readonly reason: string; readonly again: boolean }
  | { readonly event: 'unreadable'; readonly path: string; readonly reason: string }
  | { readonly event: 'forgets-order' }
  | {
      readonly event: 'finished';
      readonly moved: number;
      readonly refused: number;
      readonly bytes: number;
      readonly seconds: number;
      readonly waiting: readonly SharedIdle[];
      readonly status: number;
      readonly meaning: string;
    };

export type Voice = (event: RelayEvent) => Promise<void>;

export function jsonVoice(context: Context): Voice {
  const { clock } = context.machine;
  return (event) => printJsonLine(context, { at: formatMs(toMs(clock.now())), ...event });
}

/** Failures always; on a terminal also how it ended. */
export async function wordsVoice(context: Context, source: Queue | undefined): Promise<Voice> {
  const { clock, host } = context.machine;
  const isSeen = await host.isTerminal(STDERR);
  const from = source?.location ?? '';
  return async (event) => {
    switch (event.event) {
      case 'moved':
        return;
      case 'refused': {
        const retry = isSeen
          ? `\n  To try again: intray retry ${shellQuote(from)} ${shellQuote(event.job)}`
          : '';
        return context.log('error', `${from}: job ${event.job} was not taken: ${event.reason}${retry}`);
      }
      case 'full':
        return context.log('info', 'the target has no room; it is waited for');
      case 'trouble':
        return context.log('error', `${event.reason}${event.again ? '\nIt is tried again and again.' : ''}`);
      case 'unreadable':
        return context.log('warn', `${event.path}: ${event.reason}; it was stepped over`);
      case 'forgets-order':
        return context.log(
          'warn',
          'the source keeps the order of its jobs, and the target does not; --lane NAME keeps it there too',
        );
      case 'finished': {
        for (const idle of event.waiting) {
          if (source === undefined) break;
          const asked = idle.reason === 'paused' || idle.reason === 'delayed';
          if (!asked || isSeen) await context.log(asked ? 'info' : 'warn', whyStalled(clock, source, idle));
        }
        if (!isSeen) return;
        const refused = event.refused > 0 ? `, ${event.refused} refused` : '';
        const moved = `${counted(event.moved, 'job')} moved${refused}`;
        const nothing = event.moved + event.refused === 0;
        const said = `${moved}, ${formatSize(event.bytes)}, in ${formatSpan(event.seconds * 1000)}`;
        return context.complain(`${nothing ? 'There was nothing to do.' : said}\n`);
      }
    }
  };
}

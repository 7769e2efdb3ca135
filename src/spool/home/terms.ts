/** What the sender of a packet asks for. */

import type { PacketHeader } from '../../packet/header.ts';
import { DEFAULT_PRIORITY, type Terms, termsIn } from '../../queue/terms.ts';

export function termsOf({ work }: PacketHeader): Terms {
  return work.kind === 'command' ? termsIn(work.env) : {};
}

export function priorityOf(terms: Terms): number {
  return terms.priority ?? DEFAULT_PRIORITY;
}

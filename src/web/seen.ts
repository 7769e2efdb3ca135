/** What pages are painted from. */

import type { Keeper } from '../queue/keeper.ts';
import type { QueueSnapshot } from '../queue/snapshot.ts';

export type SeenQueue = {
  /** Stands for it in the address of its page, in one segment that needs no escapes. */
  readonly slug: string;
  readonly location: string;
} & (
  | {
      readonly kind: 'seen';
      readonly keeper: Keeper;
      readonly snapshot: QueueSnapshot;
      /** How long the look took. */
      readonly tookMs: number;
      /** Jobs a second that came to their end lately; undefined where nobody has looked long enough. */
      readonly rate?: number | undefined;
    }
  | { readonly kind: 'unseen'; readonly problem: string }
);

export type Seen = SeenQueue & { readonly kind: 'seen' };

/** How pages refer to each other; a file that stands alone has no pages but itself. */
export type Links = {
  readonly overview: string;
  queue(slug: string): string;
  /** `query` as of `queryOf`. */
  filtered?(slug: string, query: string): string;
  job?(slug: string, id: string): string;
};

/** Of pages that a server gives out. */
export type ServedLinks = Required<Links>;

/** Short names of queues: the last part of each path, and a number where that is not enough. */
export function slugsOf(locations: readonly string[]): Map<string, string> {
  const slugs = new Map<string, string>();
  const taken = new Set<string>();
  for (const location of [...locations].sort()) {
    const last = location.replace(/\/+$/, '').split('/').at(-1) ?? '';
    const plain =
      last
        .replace(/[^\w-]+/g, '-')
        .replace(/^-+|-+$/g, '')
        .slice(0, LONGEST_SLUG) || 'queue';
    let slug = plain;
    for (let number = 2; taken.has(slug); number++) slug = `${plain}-${number}`;
    taken.add(slug);
    slugs.set(location, slug);
  }
  return slugs;
}

const LONGEST_SLUG = 60;

/** The layouts that there are, as they are tried. */

import { DIRQUEUE } from '../dirqueue/entry.ts';
import { FSQ } from '../fsq/entry.ts';
import { JETSTREAM } from '../jetstream/entry.ts';
import type { Layout } from '../queue/layout.ts';
import type { LayoutName } from '../queue/snapshot.ts';
import { FILESPOOLER } from '../spool/entry.ts';
import { UOW } from '../uow/entry.ts';

export const LAYOUTS: readonly Layout[] = [FILESPOOLER, DIRQUEUE, FSQ, UOW, JETSTREAM];

/** What is made where nobody names a layout, and what a directory is asked for that is no queue at all. */
export const DEFAULT_LAYOUT: Layout = FILESPOOLER;

export function layoutNamed(name: LayoutName): Layout {
  const found = LAYOUTS.find((layout) => layout.name === name);
  if (found === undefined) throw new Error(`there is no layout ${name}`);
  return found;
}

/** A queue on NATS JetStream as a `Queue`: one stream, read by whoever works it. docs/decisions/0016-jetstream.md says why. */

import type { Machine } from '../os/ports.ts';
import type { Added, Listing, OutputFile, Queue } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import { oneAtATime } from '../queue/one-at-a-time.ts';
import { addJobs } from './add.ts';
import { jobOf } from './claim.ts';
import { requireStream } from './client.ts';
import { Link } from './link.ts';
import { parseLocation } from './location.ts';
import { Log } from './log.ts';
import { joinQueue } from './session.ts';
import { byTurn, waitingIn } from './standing.ts';
import { Subjects } from './subjects.ts';

/** Opens a queue that is there. Throws `not-a-queue` and `not-reachable`. */
export async function openJetStream(machine: Machine, text: string): Promise<Queue> {
  const location = parseLocation(text);
  const link = new Link(machine, location);
  const subjects = new Subjects(location.name);
  await link.use((connection) => requireStream(connection, location));
  const recent = recentOutputs();
  const queue: Queue = {
    location: text,
    add: async (job, options = {}) => {
      const [added] = await queue.addAll([job], options);
      return added as Added;
    },
    addAll: async (jobs, { durability, sequenceFile } = {}) => {
      if (sequenceFile !== undefined) throw hasNo('sequence files');
      if (durability === 'power-safe')
        throw hasNo('way to know that its servers have synced what they confirm');
      return link.use(({ wire }) => addJobs({ machine, wire, queue: location.name }, jobs));
    },
    jobs: async ({ decoder } = {}): Promise<Listing> => {
      refuseDecoder(decoder);
      return Log.look(machine, link, ({ picture, place }) => ({
        jobs: waitingIn(picture)
          .sort(byTurn)
          .map((entry) => jobOf(place, entry)),
        unreadable: [...picture.strangers.values()].map(({ subject, message }) => ({
          path: `${place}/${subject}`,
          message,
        })),
      }));
    },
    session: async ({ decoder, keepSucceeded = false } = {}) => {
      refuseDecoder(decoder);
      return oneAtATime(
        await joinQueue(machine, link, {
          keepSucceeded,
          maxStarts: Number.POSITIVE_INFINITY,
          onSaid: recent.note,
        }),
      );
    },
    join: async (options = {}) => {
      refuseDecoder(options.decoder);
      return joinQueue(machine, link, { ...options, onSaid: recent.note });
    },
    outputsOf: ({ id }, attempt) => recent.of(id, attempt),
    stirs: () => link.use(async ({ wire }) => (await wire.last(subjects.anyJob)) !== undefined),
    watch: async (onChange) => {
      const { wire } = await link.take();
      const end = wire.listen([subjects.anyJob, subjects.anyRun, subjects.paused], onChange);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        end();
        link.giveBack();
      };
    },
  };
  return queue;
}

/** What runs of ours have said, for whoever tells of a run that has just ended. */
function recentOutputs() {
  const outputs = new Map<string, readonly OutputFile[]>();
  const keyOf = (id: string, attempt: number) => `${id} ${attempt}`;
  return {
    note: (id: string, attempt: number, said: readonly OutputFile[]): void => {
      outputs.set(keyOf(id, attempt), said);
      for (const key of outputs.keys()) if (outputs.size > MOST_RECENT) outputs.delete(key);
    },
    of: (id: string, attempt: number) => outputs.get(keyOf(id, attempt)) ?? [],
  };
}

const MOST_RECENT = 16;

function hasNo(what: string): QueueError {
  return new QueueError('not-possible', `a queue on JetStream has no ${what}`);
}

export function refuseDecoder(decoder: string | undefined): void {
  if (decoder === undefined) return;
  throw new QueueError('not-possible', 'jobs on JetStream are not packed: a decoder has nothing to unpack');
}

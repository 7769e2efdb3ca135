import { formatLocal, formatUtc } from '../os/calendar.ts';
import type { Clock } from '../os/ports.ts';
import type { PacketHeader } from './header.ts';

/** Where a job file is. All three as the caller named the queue: not made absolute. */
export type JobPlace = {
  readonly queue: string;
  readonly filename: string;
  readonly path: string;
};

/**
 * What a packet puts into its command's environment, in the original's order. `place` is left out when the
 * packet came by standard input. Source: `man fspl`, "stdin-info, queue-info".
 */
export function packetEnvironment(
  header: PacketHeader,
  clock: Clock,
  place?: JobPlace,
): (readonly [name: string, value: string])[] {
  const { seq, ctime, work } = header;
  const variables: (readonly [string, string])[] = [
    ['FSPL_SEQ', String(seq)],
    ['FSPL_CTIME_SECS', String(ctime.seconds)],
    ['FSPL_CTIME_NANOS', String(ctime.nanos)],
    ['FSPL_CTIME_RFC3339_UTC', formatUtc(ctime)],
    ['FSPL_CTIME_RFC3339_LOCAL', formatLocal(ctime, clock.utcOffsetSeconds(ctime))],
  ];
  if (place !== undefined) {
    variables.push(
      ['FSPL_JOB_FILENAME', place.filename],
      ['FSPL_JOB_QUEUEDIR', place.queue],
      ['FSPL_JOB_FULLPATH', place.path],
    );
  }
  if (work.kind === 'command') {
    work.params.forEach((param, index) => {
      variables.push([`FSPL_PARAM_${index + 1}`, param]);
    });
    for (const [name, value] of work.env) variables.push([SET_PREFIX + name, value]);
  }
  return variables;
}

/** The prefix of variables that `prepare` puts into a packet. */
export const SET_PREFIX = 'FSPL_SET_';

// A scenario is data: a shell script that is run once by the real program and once by ours, in a fresh directory.

/** What a scenario needs from the machine, and is skipped without. */
export type Need =
  /** The old packets and queues that are kept in the repository. */
  | 'fixtures'
  /** The program must be started without a wrapper: a shell drops variables whose names are not names. */
  | 'no wrapper'
  /** A user without special rights; for root, setpriv must be able to run the program as nobody. */
  | 'ordinary user';

type Base = {
  readonly name: string;
  /** Run by `sh -c`, after the helpers of PRELUDE. */
  readonly script: string;
  /** Files to lay down before the script runs. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly needs?: readonly Need[];
  /** What it asks is the same code whatever runs it, so one variant of ours is enough. */
  readonly anyRuntime?: boolean;
};

export type SameScenario = Base & {
  readonly difference?: undefined;
  /** What ours says on standard error where the real one is silent; all else is the same. */
  readonly warns?: string;
};

/** Ours does something else, on purpose. */
export type DifferentScenario = Base & {
  /** One sentence: what ours does, and why. */
  readonly difference: string;
  readonly ours: Expected;
  /** What the real one does, so that a change there is seen; 'not run' where it would hang or eat memory. */
  readonly real: Expected | 'not run';
};

export type Scenario = SameScenario | DifferentScenario;

/** The parts of an outcome that a difference states. A tree entry of null must not exist. */
export type Expected = {
  readonly status?: number;
  readonly stdout?: string;
  readonly tree?: Readonly<Record<string, string | null>>;
};

/**
 * Helpers for the scripts. What they say about a command goes to the script's own stdout (descriptor 3), also
 * where the command's is redirected; so they never stand before a pipe, where the order would be left to chance.
 *   run COMMAND..    runs it and prints its exit status
 *   tell COMMAND..   the same, and says whether it complained (wrote to stderr)
 *   attempt COMMAND..  only whether it worked, for where the exact status means nothing
 *   job NAME ARGS..  a job file q/jobs/fspl-NAME.fspl by `fspl prepare ARGS..`
 *   nextseq          the number in q/nextseq
 *   left             the names in q/jobs
 *   until_true COMMAND..  waits for a condition; the time limit of the scenario ends it
 *   alive PID        neither gone nor a zombie
 *   as_user COMMAND..  as a user without special rights
 */
export const PRELUDE = `
umask 022
exec 3>&1
run() { "$@" 3>&-; echo "exit $?" >&3; }
attempt() { if "$@" 3>&-; then echo worked >&3; else echo failed >&3; fi; }
tell() {
  "$@" 2>"$SCRATCH/aside" 3>&-; told=$?
  if [ -s "$SCRATCH/aside" ]; then echo "exit $told, complained" >&3; else echo "exit $told, silent" >&3; fi
  cat "$SCRATCH/aside" >&2
}
job() { job_name=$1; shift; fspl prepare "$@" > "q/jobs/fspl-$job_name.fspl"; }
nextseq() { echo "nextseq $(cat q/nextseq)"; }
left() { echo "left:" $(ls q/jobs); }
until_true() { while ! "$@"; do sleep 0.02; done; }
alive() { state=$(sed 's/.*) //; s/ .*//' /proc/$1/stat 2>/dev/null); [ -n "$state" ] && [ "$state" != Z ]; }
as_user() { if [ "$(id -u)" = 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; else "$@"; fi; }
`;

/** Commands, and other processes. */

import type { Descriptor, Step } from './step.ts';

export type Command = {
  /** A path, or a name to be looked up in PATH. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  /** What the command gets as descriptors 0, 1, 2; left out: what we have ourselves. */
  readonly stdin?: Descriptor;
  readonly stdout?: Descriptor;
  readonly stderr?: Descriptor;
  /**
   * `own` (default): the command leads a process group of its own, which can be ended as a whole. `ours`: it stays
   * in our group, as it must to use the terminal we were started from.
   */
  readonly group?: 'own' | 'ours';
  /** More descriptors to hand down, as numbers 3, 4 and so on. */
  readonly extra?: readonly Descriptor[];
};

/** How a command ended. Death by a signal, real-time ones too, is never an exit code. */
export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: number };

export interface Child {
  readonly pid: number;
  readonly exit: Promise<Exit>;
  /** What kill(2) takes to reach it with all it started: minus its group, or its pid in a group of ours. */
  readonly target: number;
  /**
   * Sends a signal to the whole process group the command leads; in a group of ours, to the command and its
   * descendants as they can be found. False when none is left.
   */
  signalGroup(signal: SignalName): Step<boolean>;
  /** Whether any of those is left; the command itself may be gone already. */
  groupExists(): Step<boolean>;
}

export type SignalName = 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGHUP' | 'SIGQUIT';

export interface Processes {
  /**
   * Starts a command. Throws a SystemError when it cannot be started
   * (ENOENT, EACCES, ENOEXEC, E2BIG, EAGAIN, ...).
   */
  spawn(command: Command): Step<Child>;
  /** Whether there is a process of that number on this host, anybody's. */
  exists(pid: number): Step<boolean>;
  /** An empty file in memory, without a name; it passes only to a command it is given to. */
  scratch(): Step<Descriptor>;
  /** A pipe; neither end passes to a command unless it is given to it. */
  pipe(): Step<{ readonly readEnd: Descriptor; readonly writeEnd: Descriptor }>;
}

import type { Machine, SignalName } from '../os/ports.ts';

const STOP_SIGNALS: readonly SignalName[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/**
 * Runs `work` with a signal that is aborted when we are told to stop. When `work` has wound up, we die of what
 * we were told, as our parent expects. A second request does not wait for that: the watchdog ends the command.
 */
export async function untilStopped<T>(
  machine: Machine,
  work: (stop: AbortSignal) => Promise<T>,
  signals: readonly SignalName[] = STOP_SIGNALS,
): Promise<T> {
  const { host } = machine;
  const controller = new AbortController();
  let told: SignalName | undefined;
  const disposals = signals.map((signal) =>
    host.onSignal(signal, () => {
      if (told !== undefined) host.dieOf(signal);
      told = signal;
      controller.abort();
    }),
  );
  try {
    return await work(controller.signal);
  } finally {
    for (const dispose of disposals) dispose();
    if (told !== undefined) host.dieOf(told);
  }
}

/**
 * Who is told of which directory. As inotify does, the kernel of one host tells the processes of that host what was done
 * there; what another host does to a disk they share, nobody is told.
 *
 * Telling is a step of its own: any time may pass between a change and its event, and what comes meanwhile is told with
 * it. An event is never lost here, for nothing may hang on one anyway: a listener that relies on them alone would be
 * found by a second host.
 */

import type { WatchListener } from '../../src/os/ports.ts';
import type { Node } from './disk.ts';
import { errno } from './errno.ts';
import type { SimHost, SimProcess } from './world.ts';

type Watch = {
  readonly process: SimProcess;
  readonly node: Node;
  readonly directory: string;
  readonly listener: WatchListener;
  due: boolean;
};

export class WatchTable {
  readonly #watches = new Set<Watch>();
  readonly #deliver: (process: SimProcess, path: string, action: () => void) => void;

  constructor(deliver: (process: SimProcess, path: string, action: () => void) => void) {
    this.#deliver = deliver;
  }

  /** Returns how to end it. */
  add(process: SimProcess, node: Node, directory: string, listener: WatchListener): () => void {
    const watch: Watch = { process, node, directory, listener, due: false };
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }

  /** A name in this directory has come, gone or changed. */
  changed(host: SimHost, directory: Node): void {
    for (const watch of this.#of(host, directory)) {
      if (watch.due) continue;
      watch.due = true;
      this.#tell(watch, () => {
        watch.due = false;
        watch.listener.onChange();
      });
    }
  }

  /** A directory was removed or moved away. */
  gone(host: SimHost, directory: Node): void {
    for (const watch of this.#of(host, directory)) {
      this.#tell(watch, () => {
        this.#watches.delete(watch);
        watch.listener.onLost(errno('ENOENT', 'watch', watch.directory));
      });
    }
  }

  forget(process: SimProcess): void {
    for (const watch of this.#watches) if (watch.process === process) this.#watches.delete(watch);
  }

  #tell(watch: Watch, action: () => void): void {
    this.#deliver(watch.process, watch.directory, () => {
      if (this.#watches.has(watch)) action();
    });
  }

  #of(host: SimHost, directory: Node): Watch[] {
    return [...this.#watches].filter(({ node, process }) => node === directory && process.host === host);
  }
}

/** HTTP, as a server and as a client. */

/** Where somebody serves: on a port of this machine (0: any that is free), or at a socket in the file system. */
export type HttpAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export type HttpRequest = {
  readonly method: string;
  /** As it was written: path and query. */
  readonly path: string;
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** To be read once; as it comes. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The address it comes from; left out by a request of our own, and at a socket in the file system. */
  readonly from?: string | undefined;
};

export type HttpResponse = {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
};

export type HttpLimits = {
  /** How long a request may take until all of it is there. */
  readonly requestMs: number;
  /** And until its headers are there. Default: the same. */
  readonly headersMs?: number;
  /** More connections at once are not taken. */
  readonly connections: number;
};

export interface HttpServer {
  /** Undefined for a socket in the file system. */
  readonly port: number | undefined;
  /** Takes no more requests; resolves when those that are there have been answered. */
  close(): Promise<void>;
}

/** Requests and answers, both as streams. */
export interface Http {
  /** A handler that rejects, or answers before the body was read, loses the connection; the answer is sent. */
  serve(
    address: HttpAddress,
    limits: HttpLimits,
    handle: (request: HttpRequest) => Promise<HttpResponse>,
  ): Promise<HttpServer>;
  /**
   * Sends a request to a URL: `http:`, `https:`, or `unix:` and the path of a socket. `idleMs`: how long nothing may come
   * or go. Resolves when the answer begins; its body must be read to its end. Aborted: the connection is broken off.
   */
  request(url: string, request: HttpRequest, idleMs: number, stop?: AbortSignal): Promise<HttpResponse>;
}

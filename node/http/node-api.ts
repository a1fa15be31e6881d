/** What the HTTP edge sees of the node: reading and acting apart. */

export interface NodeReading {
  /** Null: ready. */
  unready(): Promise<Unready | null>;
  /** A JSON value; never holds a row's value or a secret. */
  status(): Promise<object>;
  /** OpenAPI 3.1 of what can be read. */
  description(): object;
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface Reloaded {
  /** Of the file; the one before then stays in force. */
  readonly problems: readonly string[];
  /** What of it takes effect at the next start only. */
  readonly atNextStart: readonly string[];
}

export interface NodeActing {
  /** Reads the topology file again. The problems that keep the old one in force; empty: the new one is. */
  reload(): Promise<Reloaded>;
  /** Stops the stream of a child until it is resumed, across restarts. @throws TributaryError. */
  pause(stream: string, actor: string): Promise<void>;
  /** @throws TributaryError. */
  resume(stream: string, actor: string): Promise<void>;
  /** Every parked key of a stream, or of one of its tables, is tried again soon; how many. @throws TributaryError. */
  retryParked(stream: string, deed: Asking): Promise<number>;
  /** Rewound keys follow the child again; how many. @throws TributaryError. */
  freeRewound(stream: string, deed: Free): Promise<number>;
  /** @throws TributaryError. */
  discardParked(stream: string, deed: Discard): Promise<void>;
  /** Tables of a stream are compared with the child's soon; the run. @throws TributaryError. */
  verify(stream: string, deed: Asking): Promise<string>;
  /** What a run found is made equal soon; how many keys. @throws TributaryError. */
  reconcile(stream: string, deed: Mending): Promise<number>;
}

/** Of a stream, or of one of its tables. */
export interface Asking {
  readonly actor: string;
  readonly table?: string;
}

export interface Mending {
  readonly actor: string;
  /** Of `verify`. */
  readonly run: string;
}

export interface Free {
  readonly actor: string;
  /** Absent: of every table. */
  readonly table?: string;
  /** Absent: every key. */
  readonly keys?: readonly (readonly string[])[];
}

export interface Discard {
  readonly actor: string;
  readonly table: string;
  readonly key: readonly string[];
  readonly reason: string;
}

export interface Unready {
  readonly code: string;
  readonly reason: string;
  readonly advice: string;
}

/** One of those who do the same work: a subscriber's database with a stream into it that can be held back. */

export interface Side extends AsyncDisposable {
  readonly name: string;
  /** Name of its slot at the provider. */
  readonly slot: string;
  /** URL of its database, as the superuser. */
  readonly url: string;
  /** Its rows are compared all the same, and how many differ is told. */
  readonly mayDiffer?: boolean;
  /** Makes slot and stream, and lets it run. */
  start(): Promise<void>;
  /** Holds the stream back; what the provider commits from now on waits. Returns when its walsender is gone. */
  hold(): Promise<void>;
  /** Lets it run again. */
  release(): Promise<void>;
  /** What applies at the subscriber while it runs. */
  processes(): Promise<Processes>;
  /** Of the node process, where there is one: p99 of the event loop's delay since it was last asked, milliseconds. */
  eventLoopDelayMs?(): Promise<number>;
  /** Most memory the node process ever held, bytes. */
  peakBytes?(): Promise<number>;
}

export interface Processes {
  readonly backends: readonly number[];
  readonly node: number | null;
}

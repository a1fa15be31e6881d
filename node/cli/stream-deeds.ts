/** What a person does to the streams of a running node, while this process serves it. */
import type { ReplicatedTable, Topology } from '../config/model.ts';
import { childrenOf, nodeOf } from '../config/tree.ts';
import { localError } from '../database/local-error.ts';
import { setPaused } from '../database/streams.ts';
import type { TributaryDatabase } from '../database/tables.ts';
import { TributaryError } from '../errors.ts';
import type { Asking, Discard, Free, Mending } from '../http/node-api.ts';
import { discardKey, freeKeys, retryNow } from '../parking/deeds.ts';
import { tableNameOf, tableText } from '../parking/parked-key.ts';
import { ParkedView } from '../parking/parked-view.ts';
import { askMend, askVerify } from '../reconcile/deeds.ts';
import type { Supervisor } from '../supervise/supervisor.ts';

export interface StreamDeedsOptions {
  /** This node's name. */
  readonly node: string;
  readonly database: TributaryDatabase;
  /** In force. */
  readonly topology: () => Topology;
  readonly supervisor: () => Supervisor;
  /** Why this process can not act now; null: it can. */
  readonly refusal: () => TributaryError | null;
  /** What this node says of itself has changed. */
  readonly changed: () => void;
}

/** Every deed: @throws TributaryError stream_unknown, not_leading, database_*. */
export class StreamDeeds {
  readonly #options: StreamDeedsOptions;

  constructor(options: StreamDeedsOptions) {
    this.#options = options;
  }

  /** Stops a stream until it is resumed, or lets it go on. @throws TributaryError stream_not_begun. */
  async setPaused(stream: string, paused: boolean, actor: string): Promise<void> {
    const { database, supervisor, changed } = this.#options;
    await this.#act(stream, async () => {
      await setPaused(database, stream, { paused, by: this.#by(actor) });
    });
    supervisor().begin(stream);
    changed();
  }

  /** Parked keys of a stream, or of one of its tables, are tried again soon; how many. */
  async retryParked(provider: string, { actor, table }: Asking): Promise<number> {
    const name = table === undefined ? null : tableNameOf(table);
    const deed = { provider, table: name, by: this.#by(actor) };
    return await this.#act(provider, async () => await retryNow(this.#options.database, deed));
  }

  /** @throws TributaryError key_not_parked. */
  async discardParked(provider: string, { actor, table, key, reason }: Discard): Promise<void> {
    const { database, supervisor, changed } = this.#options;
    const deed = { key: { table: tableNameOf(table), key }, reason, by: this.#by(actor) };
    await this.#act(provider, async () => {
      const view = supervisor().parkedOf(provider) ?? new ParkedView(provider);
      await discardKey(database, view, deed);
    });
    changed();
  }

  /** Rewound keys become what they are at the child; how many. */
  async freeRewound(provider: string, { actor, table, keys }: Free): Promise<number> {
    const { database, supervisor } = this.#options;
    const named = table === undefined ? null : tableNameOf(table);
    const deed = { table: named, keys: keys ?? null, by: this.#by(actor) };
    return await this.#act(provider, async () => {
      const view = supervisor().parkedOf(provider) ?? new ParkedView(provider);
      return await freeKeys(database, view, deed);
    });
  }

  /** Tables of a stream are compared soon. Returns the run. @throws TributaryError table_unknown. */
  async verify(provider: string, { actor, table }: Asking): Promise<string> {
    const tables = this.#tables(table);
    const asked = { provider, tables, by: this.#by(actor) };
    return await this.#act(provider, async () => await askVerify(this.#options.database, asked));
  }

  /** Every table of every child is compared soon. */
  async verifyAll(actor: string): Promise<void> {
    const { topology, node } = this.#options;
    const children = childrenOf(topology(), nodeOf(topology(), node));
    for (const { name } of children.filter(({ retired }) => !retired)) {
      await this.verify(name, { actor });
    }
  }

  /** What a run found is made equal soon; how many keys. */
  async reconcile(provider: string, { actor, run }: Mending): Promise<number> {
    const asked = { provider, run, by: this.#by(actor) };
    return await this.#act(provider, async () => await askMend(this.#options.database, asked));
  }

  #tables(table: string | undefined): readonly ReplicatedTable[] {
    const { tables } = this.#options.topology();
    const found = tables.filter((each) => table === undefined || tableText(each) === table);
    if (found.length === 0) {
      throw new TributaryError('table_unknown', { table: table ?? null });
    }
    return found;
  }

  #by(actor: string): { readonly node: string; readonly actor: string } {
    return { node: this.#options.node, actor };
  }

  async #act<T>(stream: string, deed: () => Promise<T>): Promise<T> {
    const { topology, node, refusal } = this.#options;
    const children = childrenOf(topology(), nodeOf(topology(), node));
    if (!children.some(({ name }) => name === stream)) {
      throw new TributaryError('stream_unknown', { stream });
    }
    const refused = refusal();
    if (refused) {
      throw refused;
    }
    try {
      return await deed();
    } catch (error) {
      throw localError(error);
    }
  }
}

/**
 * Origins that came by another way before, and since a change of the tree come by this stream: as long as the provider does
 * not have all of one, none of its rows here is judged by what it lacks. Once it has, its tables are compared, which finds
 * also what the provider sent of the origin while the file before was in force here.
 */
import type { Query } from '../database/query.ts';
import { arrivedOrigins, awaitedOrigins, endWait } from '../database/routes.ts';
import type { Log } from '../log.ts';
import type { ProviderTable } from '../provider/provider.ts';

export interface HandOverOptions {
  readonly provider: string;
  /** This node's own database. */
  readonly query: Query;
  readonly log: Log;
}

export class HandOver {
  readonly #options: HandOverOptions;
  readonly #awaited: Set<string>;

  private constructor(options: HandOverOptions, awaited: readonly string[]) {
    this.#options = options;
    this.#awaited = new Set(awaited);
  }

  static async load(options: HandOverOptions): Promise<HandOver> {
    return new HandOver(options, await awaitedOrigins(options.query, options.provider));
  }

  /** Of this stream; shrinks while it runs. */
  get awaited(): ReadonlySet<string> {
    return this.#awaited;
  }

  /** Origins that the provider has all of by now: they are awaited no longer, and its tables are wanted. */
  async look(published: () => Promise<readonly ProviderTable[]>): Promise<void> {
    if (this.#awaited.size === 0) {
      return;
    }
    const { query, provider, log } = this.#options;
    const origins = await arrivedOrigins(query, provider);
    if (origins.length === 0) {
      return;
    }
    await endWait(query, provider, { origins, tables: await published() });
    for (const origin of origins) {
      this.#awaited.delete(origin);
      const fields = { stream: provider, origin };
      log.info(fields, 'all of an origin has come over to this stream; its rows are compared');
    }
  }
}

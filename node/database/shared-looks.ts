/** What every stream of a process looks for in this node's own database again and again, asked once for all of them. */
import { type Lsn, parseLsn } from '../pgoutput/lsn.ts';
import type { Query } from './query.ts';
import { SharedAnswer } from './shared-answer.ts';

interface Named {
  readonly schema: string;
  readonly name: string;
}

export interface ArrivedColumns extends Named {
  readonly columns: readonly string[];
}

/** What the newest heartbeat of a node tells of its publication. */
export interface ToldPublication {
  /** Position of that node, when it wrote the heartbeat. */
  readonly lsn: Lsn;
  /** Null: it has none. */
  readonly oid: string | null;
  readonly nonce: string;
}

export class SharedLooks {
  readonly #query: Query;
  readonly #open: SharedAnswer<ReadonlySet<string>>;
  readonly #arrived: SharedAnswer<ReadonlyMap<string, readonly ArrivedColumns[]>>;
  readonly #publications: SharedAnswer<ReadonlyMap<string, ToldPublication>>;
  /** By the names of the tables: streams of one topology look at the same ones. */
  readonly #definitions = new Map<string, SharedAnswer<string | null>>();

  constructor(query: Query) {
    this.#query = query;
    this.#open = new SharedAnswer(async () => await this.#askOpen());
    this.#arrived = new SharedAnswer(async () => await this.#askArrived());
    this.#publications = new SharedAnswer(async () => await this.#askPublications());
  }

  /** Whether the stream may have tables that are to be compared or made equal. @throws the database's error */
  async hasOpenWork(provider: string): Promise<boolean> {
    return (await this.#open.latest()).has(provider);
  }

  /** A text that is another one when a column of the tables is; null: none of them is here. @throws the database's error */
  async definitions(tables: readonly Named[]): Promise<string | null> {
    const names = JSON.stringify(tables.map(({ schema, name }) => [schema, name]));
    let answer = this.#definitions.get(names);
    if (!answer) {
      answer = new SharedAnswer(async () => await this.#askDefinitions(tables));
      this.#definitions.set(names, answer);
    }
    return await answer.latest();
  }

  /** Columns of the provider's tables that were left out and are here now. @throws the database's error */
  async arrivedColumns(provider: string): Promise<readonly ArrivedColumns[]> {
    return (await this.#arrived.latest()).get(provider) ?? [];
  }

  /** They have been taken, and are noted as left out no more. */
  tookColumns(): void {
    this.#arrived.forget();
  }

  /** Null: no heartbeat of the provider has come. @throws the database's error */
  async publicationOf(provider: string): Promise<ToldPublication | null> {
    return (await this.#publications.latest()).get(provider) ?? null;
  }

  /** What was known of a provider is not what it is any more. */
  forgetPublications(): void {
    this.#publications.forget();
  }

  async #askOpen(): Promise<ReadonlySet<string>> {
    const { rows } = await this.#query(
      `select provider from tributary.stream where incomplete is not null
       union
       select provider from tributary.reconcile where state in ('wanted', 'running', 'failed')
       union
       select provider from tributary.verify where state <> 'done'`,
    );
    return new Set((rows as { provider: string }[]).map(({ provider }) => provider));
  }

  async #askDefinitions(tables: readonly Named[]): Promise<string | null> {
    const { rows } = await this.#query(
      `select md5(string_agg(concat_ws(' ', a.attrelid, a.attname, a.atttypid, a.atttypmod), ',' order by a.attrelid, a.attnum)) as columns
       from unnest($1::name[], $2::name[]) as t (schema, name)
       join pg_catalog.pg_namespace n on n.nspname = t.schema
       join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.name
       join pg_catalog.pg_attribute a on a.attrelid = c.oid
       where a.attnum > 0 and not a.attisdropped`,
      [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
    );
    return (rows as { columns: string | null }[])[0]?.columns ?? null;
  }

  async #askPublications(): Promise<ReadonlyMap<string, ToldPublication>> {
    const { rows } = await this.#query(
      `select h.node, h.lsn::text as lsn, h.state -> 'publication' ->> 'oid' as oid, h.nonce::text as nonce
       from tributary.stream s join tributary.heartbeat h on h.node = s.provider`,
    );
    const found = rows as (Omit<ToldPublication, 'lsn'> & { node: string; lsn: string })[];
    return new Map(found.map(({ node, lsn, ...told }) => [node, { lsn: parseLsn(lsn), ...told }]));
  }

  async #askArrived(): Promise<ReadonlyMap<string, readonly ArrivedColumns[]>> {
    const { rows } = await this.#query(
      `select p.provider, p.schema_name as schema, p.table_name as name, array_agg(p.column_name) as columns
       from tributary.partial p
       join pg_catalog.pg_namespace n on n.nspname = p.schema_name
       join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = p.table_name
       join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = p.column_name and a.attnum > 0 and not a.attisdropped
       group by 1, 2, 3`,
    );
    const found = rows as (ArrivedColumns & { readonly provider: string })[];
    return Map.groupBy(found, ({ provider }) => provider);
  }
}

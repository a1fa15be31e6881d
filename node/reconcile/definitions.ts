/**
 * Definitions of tables that change beside a stream. Here: columns that were left out are filled once they exist, and
 * what failed is tried again when its table changes. At the provider: an ALTER changes rows and sends nothing, so what
 * its tables were is kept, compared with what they are, and a table that changed is made equal.
 */
import type { Query } from '../database/query.ts';
import { wantAgain, wantFound } from '../database/reconcile-tables.ts';
import type { SharedLooks } from '../database/shared-looks.ts';
import { tableDigests } from '../database/table-digest.ts';
import type { Log } from '../log.ts';
import { type TableName, tableText } from '../parking/parked-key.ts';
import type { ProviderTable } from '../provider/provider.ts';
import type { StreamSide } from './stream-side.ts';

export interface DefinitionsOptions {
  readonly stream: StreamSide;
  readonly query: Query;
  readonly looks: SharedLooks;
  readonly log: Log;
  /** The replication set. */
  readonly tables: readonly TableName[];
  /** Published tables that are of the set. */
  readonly published: () => Promise<readonly ProviderTable[]>;
}

/** Nothing in the stream tells of DETACH before the next change of the table. */
const longestMs = 600_000;
/** PostgreSQL describes a table again after each ANALYZE too. */
const leastMs = 5000;

export class Definitions {
  readonly #options: DefinitionsOptions;
  readonly #digests = new Map<string, string>();
  /** Of the tables here as they were last seen. */
  #columns: string | null | undefined = undefined;
  #relations = -1;
  #askedAt = -Infinity;

  constructor(options: DefinitionsOptions) {
    this.#options = options;
  }

  /** Notes which tables are to be made equal since their definitions changed. @throws TributaryError of the provider */
  async look(): Promise<void> {
    await this.#lookHere();
    await this.#fill();
    const { relations } = this.#options.stream.applier.progress();
    const passed = performance.now() - this.#askedAt;
    if (passed > longestMs || (relations !== this.#relations && passed > leastMs)) {
      await this.#compare(await this.#options.published());
      this.#relations = relations;
      this.#askedAt = performance.now();
    }
  }

  /** Those of the tables whose definition here is another one than when they were asked for the last time. */
  async changedHere(tables: readonly string[]): Promise<readonly string[]> {
    for (const name of this.#digests.keys()) {
      if (!tables.includes(name)) {
        this.#digests.delete(name);
      }
    }
    if (tables.length === 0) {
      return [];
    }
    const found = await tableDigests(this.#options.query, tables);
    return tables.filter((name) => {
      const digest = found.get(name) ?? '';
      const before = this.#digests.get(name);
      this.#digests.set(name, digest);
      return before !== undefined && before !== digest;
    });
  }

  /** Statements made for a column fit it no more when its type changes, and some of them cut its values without a word. */
  async #lookHere(): Promise<void> {
    const { looks, tables } = this.#options;
    const columns = await looks.definitions(tables);
    if (this.#columns !== undefined && this.#columns !== columns) {
      await this.#forgetTables();
    }
    this.#columns = columns;
  }

  async #forgetTables(): Promise<void> {
    const { stream } = this.#options;
    await stream.parked.exclusive(async () => {
      stream.applier.forgetTables();
      await Promise.resolve();
    });
  }

  /** Columns that were left out and are here now. */
  async #fill(): Promise<void> {
    const { query, stream, looks } = this.#options;
    const { provider } = stream.scope;
    for (const { columns, ...at } of await looks.arrivedColumns(provider)) {
      const table = { schema: at.schema, name: at.name };
      // From the next part on the columns are written; then what was written without them is made equal.
      await this.#forgetTables();
      await wantAgain(query, { provider, ...table }, { reason: 'column_added', fills: columns });
      await this.#noLonger({ provider, ...table }, columns);
      looks.tookColumns();
      this.#say(table, 'columns that were left out are here now: they are filled');
    }
  }

  async #compare(published: readonly ProviderTable[]): Promise<void> {
    const { query, stream } = this.#options;
    const { provider } = stream.scope;
    const before = await this.#known();
    for (const { schema, name, columns, storage } of published) {
      const known = before.get(tableText({ schema, name }));
      const types = Object.fromEntries(columns.map((column) => [column.name, column.type]));
      if (known && same(known.columns, types) && known.storage === storage) {
        continue;
      }
      const at = { provider, schema, name };
      const changed = Object.keys(types).filter((one) => known?.columns[one] !== types[one]);
      const fills = await this.#hereOf(at, changed);
      if (known && (fills.length > 0 || known.storage !== storage)) {
        await wantAgain(query, at, { reason: 'definition_changed', fills });
        this.#say(at, 'the definition of a table changed at the provider: it is made equal');
      }
      if (!known && before.size > 0) {
        // Named by the file again, or for the first time: what was published of it meanwhile went by.
        await wantFound(query, at);
      }
      await query(
        `insert into tributary.definition (provider, schema_name, table_name, columns, storage) values ($1, $2, $3, $4, $5)
         on conflict (provider, schema_name, table_name) do update set columns = excluded.columns, storage = excluded.storage`,
        [provider, schema, name, JSON.stringify(types), storage],
      );
      const gone = Object.keys(known?.columns ?? {}).filter((one) => !(one in types));
      await this.#noLonger(at, gone);
    }
  }

  /** Those of the columns that exist here; the others are left out, and filled when they do. */
  async #hereOf({ schema, name }: TableName, columns: readonly string[]): Promise<string[]> {
    const { rows } = await this.#options.query(
      `select a.attname::text as name from pg_catalog.pg_attribute a
       join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped and a.attname = any ($3::text[])`,
      [schema, name, columns],
    );
    return (rows as { name: string }[]).map((row) => row.name);
  }

  async #known(): Promise<ReadonlyMap<string, Known>> {
    const { query, stream } = this.#options;
    const { rows } = await query(
      `select d.schema_name as schema, d.table_name as name, d.columns, d.storage from tributary.definition d where d.provider = $1`,
      [stream.scope.provider],
    );
    return new Map((rows as (Known & TableName)[]).map((row) => [tableText(row), row]));
  }

  /** They are not left out any more. */
  async #noLonger(
    at: TableName & { readonly provider: string },
    columns: readonly string[],
  ): Promise<void> {
    if (columns.length > 0) {
      await this.#options.query(
        `delete from tributary.partial where provider = $1 and schema_name = $2 and table_name = $3 and column_name = any ($4::text[])`,
        [at.provider, at.schema, at.name, columns],
      );
    }
  }

  #say(table: TableName, what: string): void {
    const { stream, log } = this.#options;
    log.info({ stream: stream.scope.provider, table: tableText(table) }, what);
  }
}

interface Known {
  /** Types by the names of columns. */
  readonly columns: Readonly<Record<string, string>>;
  readonly storage: string;
}

function same(a: Known['columns'], b: Known['columns']): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

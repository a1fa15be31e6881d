/** PostgreSQL's own subscriber to the same tables, under the same filters and column lists. */
import { ident, literal } from '../../database/ident.ts';
import type { TestDatabase } from '../database.ts';
import { until } from '../until.ts';

export class Native implements AsyncDisposable {
  readonly database: TestDatabase;
  readonly #name: string;

  private constructor(database: TestDatabase, name: string) {
    this.database = database;
    this.#name = name;
  }

  /** Starts where the log ends now. The publication `tributary_up` stands at the provider. */
  static async start(provider: TestDatabase, database: TestDatabase): Promise<Native> {
    const name = `native_${provider.name}`;
    await provider.query(`create publication native for table ${await published(provider)}
      with (publish_via_partition_root = true)`);
    await provider.query(`select from pg_create_logical_replication_slot('${name}', 'pgoutput')`);
    const { hostname, port, username, password, pathname } = new URL(provider.url());
    const connection = `host=${hostname} port=${port} user=${username} password=${password} dbname=${pathname.slice(1)}`;
    await database.query(
      `create subscription ${name} connection ${literal(connection)} publication native
       with (create_slot = false, slot_name = '${name}', copy_data = false)`,
    );
    return new Native(database, name);
  }

  /** Its publication changed: the tables of `tributary_up` are those of `native` again. */
  async follow(provider: TestDatabase): Promise<void> {
    await provider.query(`alter publication native set table ${await published(provider)}`);
    await this.database.query(
      `alter subscription ${this.#name} refresh publication with (copy_data = false)`,
    );
  }

  /** Resolves once it has failed to apply. */
  async stopped(): Promise<void> {
    await until(async () => (await this.#errors()) > 0, { what: 'native stops on an error' });
  }

  async failed(): Promise<boolean> {
    return (await this.#errors()) > 0;
  }

  async #errors(): Promise<number> {
    const { rows } = await this.database.query(
      `select apply_error_count::int as count from pg_stat_subscription_stats where subname = $1`,
      [this.#name],
    );
    return (rows as { count: number }[])[0]?.count ?? 0;
  }

  /** The subscription holds its slot: it goes first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.database.query(`alter subscription ${this.#name} disable`);
    await this.database.query(`alter subscription ${this.#name} set (slot_name = none)`);
    await this.database.query(`drop subscription ${this.#name}`);
  }
}

/** The tables of `tributary_up` but its own, with filter and columns, as they stand in a publication. */
async function published(provider: TestDatabase): Promise<string> {
  const { rows } = await provider.query(
    `select n.nspname as schema, c.relname as name, pg_get_expr(r.prqual, r.prrelid) as filter,
       (select json_agg(a.attname order by a.attnum) from pg_attribute a
        where a.attrelid = r.prrelid and a.attnum = any (r.prattrs::int2[])) as columns
     from pg_publication_rel r
     join pg_publication p on p.oid = r.prpubid and p.pubname = 'tributary_up'
     join pg_class c on c.oid = r.prrelid
     join pg_namespace n on n.oid = c.relnamespace and n.nspname <> 'tributary'
     order by 1, 2`,
  );
  return (rows as Published[])
    .map(({ schema, name, filter, columns }) => {
      const list = columns ? ` (${columns.map(ident).join(', ')})` : '';
      return `only ${ident(schema)}.${ident(name)}${list}${filter ? ` where (${filter})` : ''}`;
    })
    .join(', ');
}

interface Published {
  readonly schema: string;
  readonly name: string;
  readonly filter: string | null;
  readonly columns: readonly string[] | null;
}

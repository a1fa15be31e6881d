/**
 * The schema `tributary`: numbered SQL files in migrations/, forward only. A file and its version row commit in one
 * transaction, so a database is at exactly one version. The first line `--! breaking` says that older code must stop.
 */
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';

export interface Migration {
  readonly number: number;
  readonly breaking: boolean;
  readonly sql: string;
}

/** What of the schema a running node sees, compared with the files of its own version. */
export type SchemaState = 'missing' | 'older' | 'current' | 'newer' | 'breaking_newer';

export interface AppliedMigration {
  readonly number: number;
  readonly breaking: boolean;
}

const directory = new URL('../../migrations/', import.meta.url);

/** Only one migrator at a time works on a database; others wait for its transaction. */
const migratorLock = '8390322045806929235';

/** The files of this version, in order. */
export async function migrations(): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{6}\.sql$/.test(name)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, directory), 'utf8');
      return { number: Number.parseInt(name, 10), breaking: sql.startsWith('--! breaking'), sql };
    }),
  );
}

/** Brings the schema to this version, as an owner with CREATE on the database. Returns the numbers applied now. */
export async function migrate(client: pg.ClientBase): Promise<readonly number[]> {
  const done: number[] = [];
  for (const migration of await migrations()) {
    await client.query('begin');
    try {
      await client.query(`select pg_advisory_xact_lock(${migratorLock})`);
      const applied = await appliedMigrations(client);
      if (!applied.some((other) => other.number === migration.number)) {
        for (const command of commandsOf(migration)) {
          await client.query(command);
        }
        done.push(migration.number);
      }
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => {});
      throw error;
    }
  }
  return done;
}

/** What one migration runs inside its transaction. */
export function commandsOf(migration: Migration): readonly string[] {
  return [
    migration.sql,
    `insert into tributary.migration (number, breaking) values (${migration.number}, ${migration.breaking})`,
  ];
}

/** Empty where the schema does not exist, or where this role may not see it. */
export async function appliedMigrations(
  client: pg.ClientBase | pg.Pool,
): Promise<readonly AppliedMigration[]> {
  const { rows: seen } = await client.query<{ readable: boolean }>(`
    select
      has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'tributary' and c.relname = 'migration'`);
  if (!seen[0]?.readable) {
    return [];
  }
  const { rows } = await client.query<AppliedMigration>(
    'select m.number, m.breaking from tributary.migration m order by m.number',
  );
  return rows;
}

/** For the running node, which never migrates: whether this version can work on the schema that is there. */
export async function schemaState(client: pg.ClientBase | pg.Pool): Promise<SchemaState> {
  return stateOf(await migrations(), await appliedMigrations(client));
}

/** Pure: this version's files against the versions applied. */
export function stateOf(
  known: readonly { readonly number: number }[],
  applied: readonly AppliedMigration[],
): SchemaState {
  if (applied.length === 0) {
    return 'missing';
  }
  const last = known.at(-1)?.number ?? 0;
  const newer = applied.filter((migration) => migration.number > last);
  if (newer.some((migration) => migration.breaking)) {
    return 'breaking_newer';
  }
  if (newer.length > 0) {
    return 'newer';
  }
  return known.every((one) => applied.some((other) => other.number === one.number))
    ? 'current'
    : 'older';
}

/**
 * What stands in the database now: everything that prepare, check and watch decide by, read from the catalogue at one
 * instant (one repeatable read transaction) by any role. Names are as PostgreSQL stores them, not quoted.
 */
import type pg from 'pg';
import { type AppliedMigration, appliedMigrations } from '../database/migrate.ts';
import type { Intent } from './intent.ts';
import { readPrivileges, type Privileges } from './catalogue-privileges.ts';
import { readPublication, type PublicationFacts } from './catalogue-publication.ts';
import { readServer, type ServerFacts } from './catalogue-server.ts';
import { readTables, type TableFacts } from './catalogue-tables.ts';

export interface Facts {
  readonly server: ServerFacts;
  readonly migrations: readonly AppliedMigration[];
  /** The row of tributary.node; null: none yet. */
  readonly node: { readonly name: string; readonly publicationNonce: string | null } | null;
  /** tributary.prepared, by `kind object`. */
  readonly prepared: ReadonlyMap<string, PreparedFact>;
  /** Tables of the set by `schema.name`; a missing one is absent. */
  readonly tables: ReadonlyMap<string, TableFacts>;
  readonly publication: PublicationFacts | null;
  /** Functions of schema tributary that work with the rights of their owner: name to owner. */
  readonly definers: ReadonlyMap<string, string>;
  readonly schemas: ReadonlyMap<string, SchemaFact>;
  readonly privileges: Privileges;
}

export interface SchemaFact {
  readonly owner: string;
  /** Whether the connecting role may change what is in it. */
  readonly mine: boolean;
}

export interface PreparedFact {
  readonly kind: string;
  readonly object: string;
  readonly wanted: string;
  readonly found: string | null;
  readonly undo: string | null;
}

export async function readFacts(client: pg.ClientBase, intent: Intent): Promise<Facts> {
  await client.query('begin transaction isolation level repeatable read, read only');
  try {
    // Definitions are told back with names qualified against the search path.
    await client.query('set local search_path = pg_catalog');
    const tables = await readTables(client, intent);
    const migrations = await appliedMigrations(client);
    return {
      server: await readServer(client, intent.node.roles),
      migrations,
      node: migrations.length > 0 ? await readNode(client) : null,
      prepared: migrations.length > 0 ? await readPrepared(client) : new Map(),
      tables,
      publication: await readPublication(client),
      definers: await readDefiners(client),
      schemas: await readSchemas(client),
      privileges: await readPrivileges(client, intent),
    };
  } finally {
    await client.query('rollback');
  }
}

async function readNode(client: pg.ClientBase): Promise<Facts['node']> {
  const { rows } = await client.query<{ name: string; publicationNonce: string | null }>(
    'select n.name, n.publication_nonce as "publicationNonce" from tributary.node n',
  );
  return rows[0] ?? null;
}

async function readPrepared(client: pg.ClientBase): Promise<Facts['prepared']> {
  const { rows } = await client.query<PreparedFact>(
    'select p.kind, p.object, p.wanted, p.found, p.undo from tributary.prepared p order by p.at, p.kind, p.object',
  );
  return new Map(rows.map((row) => [`${row.kind} ${row.object}`, row]));
}

async function readDefiners(client: pg.ClientBase): Promise<Facts['definers']> {
  const { rows } = await client.query<{ name: string; owner: string }>(`
    select p.proname::text as name, pg_get_userbyid(p.proowner)::text as owner
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'tributary' and p.prosecdef`);
  return new Map(rows.map(({ name, owner }) => [name, owner]));
}

async function readSchemas(client: pg.ClientBase): Promise<Facts['schemas']> {
  const { rows } = await client.query<SchemaFact & { name: string }>(`
    select
      n.nspname::text as name,
      pg_get_userbyid(n.nspowner)::text as owner,
      pg_has_role(n.nspowner, 'usage') as mine
    from pg_namespace n`);
  return new Map(rows.map(({ name, ...schema }) => [name, schema]));
}

/** What a child shows to the role its parent logs in with; enough to compare tables and to foresee a stream that fails. */
import pg from 'pg';
import { clientConfig } from '../database/connect.ts';
import { sqlFailure } from '../database/sqlstate.ts';
import { isPooled } from './pooler.ts';

export interface ChildFacts {
  readonly node: string | null;
  readonly version: number;
  readonly encoding: string;
  readonly walLevel: string;
  readonly clockSkewMs: number;
  readonly pooled: boolean;
  /** null: a walsender opened; else the SQLSTATE of the refusal. */
  readonly walsenderRefused: string | null;
  /** Published columns by `schema.name`. */
  readonly tables: ReadonlyMap<string, readonly ChildColumn[]>;
}

export interface ChildColumn {
  readonly name: string;
  readonly type: string;
  readonly bareType: string;
}

/** @throws what pg throws when the child does not answer or refuses. */
export async function readChild(url: string, parent: string): Promise<ChildFacts> {
  const config = clientConfig({
    url,
    applicationName: `tributary ${parent} check`,
    settings: { search_path: 'pg_catalog', statement_timeout: 15_000 },
    connectTimeoutMs: 8000,
  });
  const client = new pg.Client(config);
  client.on('error', () => {});
  await client.connect();
  try {
    return {
      ...(await readServer(client)),
      clockSkewMs: await clockSkew(client),
      pooled: await isPooled(client),
      walsenderRefused: await openWalsender(config),
      node: await readName(client),
      tables: await readPublished(client),
    };
  } finally {
    await client.end().catch(() => {});
  }
}

type Server = Pick<ChildFacts, 'version' | 'encoding' | 'walLevel'>;

async function readServer(client: pg.Client): Promise<Server> {
  const { rows } = await client.query<Server>(`
    select
      current_setting('server_version_num')::int as version,
      current_setting('server_encoding') as encoding,
      current_setting('wal_level') as "walLevel"`);
  return rows[0] ?? { version: 0, encoding: '', walLevel: '' };
}

async function clockSkew(client: pg.Client): Promise<number> {
  const before = Date.now();
  const { rows } = await client.query<{ ms: string }>(
    'select round(extract(epoch from clock_timestamp()) * 1000)::text as ms',
  );
  return Math.round(Number(rows[0]?.ms ?? before) - (before + Date.now()) / 2);
}

async function readName(client: pg.Client): Promise<string | null> {
  try {
    const { rows } = await client.query<{ name: string }>('select n.name from tributary.node n');
    return rows[0]?.name ?? null;
  } catch (error) {
    if (['42P01', '3F000', '42501'].includes(sqlFailure(error)?.sqlstate ?? '')) {
      return null;
    }
    throw error;
  }
}

async function readPublished(client: pg.Client): Promise<ChildFacts['tables']> {
  const { rows } = await client.query<{ table: string; columns: ChildColumn[] }>(`
    select
      t.schemaname || '.' || t.tablename as "table",
      jsonb_agg(jsonb_build_object(
        'name', a.attname,
        'type', format_type(a.atttypid, a.atttypmod),
        'bareType', format_type(a.atttypid, -1)
      ) order by a.attnum) as columns
    from pg_publication_tables t
    join pg_namespace n on n.nspname = t.schemaname
    join pg_class c on c.relnamespace = n.oid and c.relname = t.tablename
    join pg_attribute a on a.attrelid = c.oid and a.attname = any(t.attnames)
    where t.pubname = 'tributary_up'
    group by 1`);
  return new Map(rows.map((row) => [row.table, row.columns]));
}

/** Only the attempt shows whether role and pg_hba.conf let a walsender open. */
async function openWalsender(config: pg.ClientConfig): Promise<string | null> {
  const replicating = { ...config, replication: 'database' };
  const client = new pg.Client(replicating);
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('IDENTIFY_SYSTEM');
    return null;
  } catch (error) {
    return sqlFailure(error)?.sqlstate ?? 'unknown';
  } finally {
    await client.end().catch(() => {});
  }
}

/** What the provider is and publishes, from its catalogue. */
import { baseTypeSql } from '../database/base-type.ts';
import { literal } from '../database/ident.ts';
import { TributaryError } from '../errors.ts';
import { identifyNode, identifySystem } from './identity.ts';
import type { ProviderColumn, ProviderDescription, ProviderTable } from './provider.ts';
import { publicationName } from './replication-connection.ts';
import { openSession } from './session.ts';
import type { Session, SessionOptions } from './session.ts';

/** @throws TributaryError provider_unreachable | provider_refused | provider_not_prepared */
export async function describe(
  options: Omit<SessionOptions, 'replication'>,
): Promise<ProviderDescription> {
  await using session = await openSession({ ...options, replication: true });
  const { node, publication } = await identifyNode(session, options.provider);
  if (!publication) {
    throw new TributaryError('provider_not_prepared', { provider: options.provider });
  }
  return {
    node,
    serverVersion: await serverVersion(session),
    ...(await identifySystem(session)),
    publicationOid: publication.oid,
    publicationNonce: publication.nonce,
    tables: await publishedTables(session),
    clockSkewMs: await clockSkew(session),
  };
}

async function serverVersion(session: Session): Promise<number> {
  const rows = await session.ask<{ version: string }>(
    `select pg_catalog.current_setting('server_version_num') as version`,
  );
  return Number(rows[0]?.version ?? 0);
}

async function publishedTables(session: Session): Promise<ProviderTable[]> {
  const rows = await session.ask<{
    schema: string;
    name: string;
    columns: ProviderColumn[];
    storage: string;
  }>(
    `select
       t.schemaname as schema,
       t.tablename as name,
       json_agg(
         json_build_object(
           'name', a.attname,
           'typeOid', a.atttypid::oid::bigint,
           'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
           'typeModifier', a.atttypmod,
           'baseType', ${baseTypeSql},
           'notNull', a.attnotnull
         )
         order by a.attnum
       ) as columns,
       (
         select md5(string_agg(concat_ws(' ', f.oid, f.relfilenode), ',' order by f.oid))
         from pg_catalog.pg_class f
         where f.oid = c.oid or f.oid in (select p.relid from pg_catalog.pg_partition_tree(c.oid) p)
       ) as storage
     from pg_catalog.pg_publication_tables t
     join pg_catalog.pg_namespace n on n.nspname = t.schemaname
     join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.tablename
     join pg_catalog.pg_attribute a
       on a.attrelid = c.oid and a.attname = any(t.attnames) and a.attnum > 0 and not a.attisdropped
     where t.pubname = ${literal(publicationName)}
     group by t.schemaname, t.tablename, c.oid
     order by t.schemaname, t.tablename`,
  );
  return rows;
}

async function clockSkew(session: Session): Promise<number> {
  const before = Date.now();
  const rows = await session.ask<{ ms: string }>(
    `select round(extract(epoch from pg_catalog.clock_timestamp()) * 1000)::text as ms`,
  );
  const after = Date.now();
  return Math.round(Number(rows[0]?.ms ?? before) - (before + after) / 2);
}

/** Which tables refer to which, by the foreign keys here. */
import { qualified } from '../database/ident.ts';
import type { Query } from '../database/query.ts';

/** By table the tables of the list its foreign keys refer to. */
export async function references(
  query: Query,
  tables: readonly { readonly schema: string; readonly name: string }[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await query(
    `select n.nspname || '.' || c.relname as name, array_agg(fn.nspname || '.' || f.relname) as refers
     from pg_catalog.pg_constraint k
     join pg_catalog.pg_class c on c.oid = k.conrelid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     join pg_catalog.pg_class f on f.oid = k.confrelid
     join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
     where k.contype = 'f' and k.conrelid = any (
       select to_regclass(t) from unnest($1::text[]) t
     )
     group by 1`,
    [tables.map((table) => qualified(table))],
  );
  return new Map(
    (rows as { name: string; refers: string[] }[]).map(({ name, refers }) => [name, refers]),
  );
}

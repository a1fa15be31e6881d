/** Definitions of tables of this database as short texts that change whenever what a row must meet does. */
import type { Query } from './query.ts';

/** By `schema.name`, of those that exist. */
export async function tableDigests(
  query: Query,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await query(digests, [names]);
  return new Map((rows as { name: string; digest: string }[]).map((row) => [row.name, row.digest]));
}

/** Columns, constraints, indexes, triggers and rights of the tables, and the domains of their columns. */
const digests = `
  select
    p.name,
    md5(concat_ws(
      ' ',
      p.relacl,
      (
        select string_agg(
          concat_ws(' ', a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.atthasdef, a.attidentity, a.attgenerated),
          ',' order by a.attnum
        )
        from pg_catalog.pg_attribute a
        where a.attrelid = p.oid and a.attnum > 0 and not a.attisdropped
      ),
      (
        select string_agg(concat_ws(' ', k.oid, k.conname, k.convalidated, pg_catalog.pg_get_constraintdef(k.oid)), ',' order by k.oid)
        from pg_catalog.pg_constraint k
        where k.conrelid = p.oid
          or k.contypid in (select a.atttypid from pg_catalog.pg_attribute a where a.attrelid = p.oid and a.attnum > 0)
      ),
      (
        select string_agg(concat_ws(' ', i.indexrelid, i.indisunique, i.indisvalid), ',' order by i.indexrelid)
        from pg_catalog.pg_index i
        where i.indrelid = p.oid
      ),
      (
        select string_agg(concat_ws(' ', t.oid, t.tgenabled, f.prosrc), ',' order by t.oid)
        from pg_catalog.pg_trigger t
        join pg_catalog.pg_proc f on f.oid = t.tgfoid
        where t.tgrelid = p.oid and not t.tgisinternal
      )
    )) as digest
  from (
    select n.nspname || '.' || c.relname as name, c.oid, c.relacl
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname || '.' || c.relname = any ($1::text[])
  ) p`;

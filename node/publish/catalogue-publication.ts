/** The publication tributary_up as it stands. */
import type pg from 'pg';

export interface PublicationFacts {
  readonly oid: number;
  readonly mine: boolean;
  readonly viaRoot: boolean;
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly truncate: boolean;
  readonly allTables: boolean;
  /** All of it in one text, to see whether anything was changed. */
  readonly definition: string;
  readonly tables: readonly PublishedFacts[];
}

export interface PublishedFacts {
  readonly schema: string;
  readonly name: string;
  /** As PostgreSQL tells it back; null: every row. */
  readonly filter: string | null;
  /** null: every column. */
  readonly columns: readonly string[] | null;
}

/** SQL expression of PublicationFacts.definition; depends on search_path, as all that PostgreSQL tells back. */
export const publicationDefinition = `(
  select concat_ws(
    ' ', p.pubviaroot, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
    (
      select string_agg(
        concat_ws(' ', r.prrelid::regclass, r.prattrs, pg_get_expr(r.prqual, r.prrelid)),
        ', ' order by r.prrelid::regclass::text
      )
      from pg_publication_rel r
      where r.prpubid = p.oid
    )
  )
  from pg_publication p
  where p.pubname = 'tributary_up'
)`;

export async function readPublication(client: pg.ClientBase): Promise<PublicationFacts | null> {
  const { rows } = await client.query<Omit<PublicationFacts, 'tables'>>(`
    select
      p.oid::int as oid,
      pg_has_role(p.pubowner, 'usage') as mine,
      p.pubviaroot as "viaRoot",
      p.pubinsert as insert,
      p.pubupdate as update,
      p.pubdelete as delete,
      p.pubtruncate as truncate,
      p.puballtables or exists (select from pg_publication_namespace s where s.pnpubid = p.oid) as "allTables",
      ${publicationDefinition} as definition
    from pg_publication p
    where p.pubname = 'tributary_up'`);
  const publication = rows[0];
  return publication ? { ...publication, tables: await readPublished(client) } : null;
}

async function readPublished(client: pg.ClientBase): Promise<readonly PublishedFacts[]> {
  const { rows } = await client.query<PublishedFacts>(`
    select
      n.nspname::text as schema,
      c.relname::text as name,
      pg_get_expr(r.prqual, r.prrelid) as filter,
      (
        select array_agg(a.attname::text order by a.attnum)
        from pg_attribute a
        where a.attrelid = c.oid and a.attnum = any(r.prattrs::int2[])
      ) as columns
    from pg_publication_rel r
    join pg_publication p on p.oid = r.prpubid
    join pg_class c on c.oid = r.prrelid
    join pg_namespace n on n.oid = c.relnamespace
    where p.pubname = 'tributary_up'
    order by 1, 2`);
  return rows;
}

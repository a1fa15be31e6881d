-- Two copies of a table are equal nearly always. To say so takes one number for as many rows as can be asked for at once: rows are
-- hashed as they lie in the table, neither sorted nor grouped, which takes less than half the time of digests of blocks.

-- As row_hash, for what is compared as a whole: not by the text of a value where its bytes are as good and cheaper. Whole
-- numbers and times of eight bytes are hashed as bytes: PostgreSQL's hash of them folds their halves into one, and a number
-- that differs in the same bit of both would be equal.
create function tributary.typed_row_hash(relation regclass, columns text[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'hashtextextended(hash_record_extended(row(%s), 0)::text collate "C", 0)',
    string_agg(
      case
        when b.oid in ('int2'::regtype, 'int4'::regtype, 'uuid'::regtype, 'bool'::regtype, 'date'::regtype, 'bytea'::regtype)
          then format('t.%I::%s', c.name, format_type(b.oid, -1))
        when b.oid = 'int8'::regtype then format('int8send(t.%I::bigint)', c.name)
        when b.oid = 'timestamp'::regtype then format('timestamp_send(t.%I::timestamp)', c.name)
        when b.oid = 'timestamptz'::regtype then format('timestamptz_send(t.%I::timestamptz)', c.name)
        when b.oid in ('text'::regtype, 'varchar'::regtype) or k.castsource is null then format('t.%I::text collate "C"', c.name)
        else format('case when num_nulls(t.%1$I) = 0 then format(''%%s'', t.%1$I) end collate "C"', c.name)
      end,
      ', ' order by c.n
    )
  )
  from unnest(columns) with ordinality c(name, n)
  join pg_attribute a on a.attrelid = relation and a.attname = c.name and a.attnum > 0 and not a.attisdropped
  join lateral (
    with recursive base as (
      select p.oid, p.typtype, p.typbasetype from pg_type p where p.oid = a.atttypid
      union all
      select p.oid, p.typtype, p.typbasetype from base join pg_type p on p.oid = base.typbasetype where base.typtype = 'd'
    )
    select base.oid from base where base.typtype <> 'd'
  ) b on true
  left join pg_cast k on k.castsource = b.oid and k.casttarget = 'text'::regtype
$$;

-- How many rows a range of the key holds, and the sum of their hashes. Beside other work, so by one process.
create function tributary.range_digest(
  relation regclass, columns text[], key text[], filter text, after text[], upto text[]
)
returns table (count bigint, digest numeric)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0
set datestyle = 'ISO,YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = '1'
set bytea_output = 'hex'
set xmloption = 'content'
set lc_monetary = 'C'
as $$
begin
  return query execute format(
    'select count(*), coalesce(sum(%s), 0) from %s t where (%s) and %s',
    tributary.typed_row_hash(relation, columns), relation, filter, tributary.in_range(relation, key, after, upto)
  );
end
$$;

-- The same for the reader, of what is published.
create function tributary.published_digest(
  schema_name text, table_name text, columns text[], key text[], after text[], upto text[]
)
returns table (count bigint, digest numeric)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  source tributary.published_table := tributary.published(schema_name, table_name, columns || key);
begin
  return query
  select d.count, d.digest from tributary.range_digest(source.relation, columns, key, source.filter, after, upto) d;
end
$$;

-- The key of the row that stands so many rows behind a key; null: there are not so many. Along the key's index, as a page.
create function tributary.published_key_after(
  schema_name text, table_name text, key text[], after text[], rows bigint
)
returns text[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
set enable_sort = off
set enable_bitmapscan = off
set datestyle = 'ISO,YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = '1'
set bytea_output = 'hex'
set xmloption = 'content'
set lc_monetary = 'C'
as $$
declare
  source tributary.published_table := tributary.published(schema_name, table_name, key);
  texts text := (
    select string_agg(format('format(''%%s'', %s)', k.quoted), ', ' order by k.n)
    from tributary.key_columns(source.relation, key) with ordinality k(quoted, type, ordering, n)
  );
  found text[];
begin
  execute format(
    'select array[%s] from %s t where (%s) and %s order by %s offset %s limit 1',
    texts, source.relation, source.filter, tributary.in_range(source.relation, key, after, null),
    tributary.key_order(source.relation, key), rows - 1
  )
  into found;
  return found;
end
$$;

revoke all on function
  tributary.published_digest(text, text, text[], text[], text[], text[]),
  tributary.published_key_after(text, text, text[], text[], bigint)
from public;

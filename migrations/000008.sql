-- The hash of a row of its columns' texts one by one: three times as fast as that of the text of the whole row. That of a
-- record is a sum over its columns, so the same change makes the same difference in every row: in the digest of a block a
-- row that has it on one side only made up for another that had it on the other side only. Hence it is hashed once more.

-- The expressions of columns `t` as their output functions say them, which a cast to text does not where there is one of its
-- own (boolean, character(n), inet). Hashed by bytes, whatever the collation holds to be equal.
create function tributary.row_hash(relation regclass, columns text[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'hashtextextended(hash_record_extended(row(%s), 0)::text collate "C", 0)',
    string_agg(
      case
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

drop function tributary.row_hash(text[]);

-- As before, but a block that is not full, the last of its range, has no last key: a window less over every row.
create or replace function tributary.blocks(
  relation regclass, columns text[], key text[], filter text, ranges jsonb, most bigint, block bigint
)
returns table (range integer, last_key text[], count bigint, digest numeric)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO,YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = '1'
set bytea_output = 'hex'
set xmloption = 'content'
set lc_monetary = 'C'
as $$
declare
  one record;
  named text := (select string_agg(format('%s as k%s', k.quoted, k.n), ', ') from tributary.key_columns(relation, key) with ordinality k(quoted, type, ordering, n));
  texts text := (select string_agg(format('format(''%%s'', n.k%s)', k), ', ') from generate_series(1, cardinality(key)) k);
begin
  for one in select r.value, r.n - 1 as number from jsonb_array_elements(ranges) with ordinality r(value, n) order by r.n loop
    return query execute format(
      $q$
      select %1$s::integer, max(case when n.at %% %3$s = 0 then array[%2$s] end), count(*), sum(n.hash)
      from (
        select p.*, row_number() over () as at
        from (select %4$s, %5$s as hash from %6$s t where (%7$s) and %8$s order by %9$s limit %10$s) p
      ) n
      group by (n.at - 1) / %3$s
      order by (n.at - 1) / %3$s
      $q$,
      one.number, texts, block, named, tributary.row_hash(relation, columns), relation, filter,
      tributary.in_range(relation, key, tributary.texts(one.value -> 0), tributary.texts(one.value -> 1)),
      tributary.key_order(relation, key), most
    );
  end loop;
end
$$;

create or replace function tributary.digests(
  relation regclass, columns text[], key text[], filter text, ranges jsonb
)
returns table (count bigint, digest numeric)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO,YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = '1'
set bytea_output = 'hex'
set xmloption = 'content'
set lc_monetary = 'C'
as $$
declare
  hash text := tributary.row_hash(relation, columns);
  one jsonb;
begin
  for one in select r.value from jsonb_array_elements(ranges) with ordinality r(value, n) order by r.n loop
    return query execute format(
      'select count(*), coalesce(sum(%s), 0) from %s t where (%s) and %s',
      hash, relation, filter,
      tributary.in_range(relation, key, tributary.texts(one -> 0), tributary.texts(one -> 1))
    );
  end loop;
end
$$;

create or replace function tributary.hashes_statement(
  relation regclass, columns text[], key text[], filter text, number bigint, bounds jsonb
)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'select %s::integer, %s, %s from %s t where (%s) and %s order by %s',
    number, tributary.key_list(relation, key), tributary.row_hash(relation, columns), relation, filter,
    tributary.in_range(relation, key, tributary.texts(bounds -> 0), tributary.texts(bounds -> 1)),
    tributary.key_order(relation, key)
  )
$$;

create or replace function tributary.hashes_by_key(
  relation regclass, columns text[], key text[], filter text, keys jsonb
)
returns table (number integer, hash bigint)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
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
    'select (e.number - 1)::integer, %s from jsonb_array_elements($1) with ordinality e(value, number) join %s t on %s where %s',
    tributary.row_hash(relation, columns), relation, tributary.has_key(relation, key), filter
  )
  using keys;
end
$$;

-- A page is a walk along the key's index. Where a table was never analysed, as after a restore, the planner would sort all of it
-- for every page.
alter function tributary.published_rows(text, text, text[], text[], text, text[], text[], bigint, bigint) set enable_sort = off;
alter function tributary.published_rows(text, text, text[], text[], text, text[], text[], bigint, bigint) set enable_bitmapscan = off;

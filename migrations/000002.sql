-- Reconcile: what is to be made equal, how far it is, and the functions by which both sides read ranges of a table.

-- Keys of rows that would be overwritten or removed, until the table is through and their number is known.
create table tributary.reconcile_key (
  provider text not null,
  schema_name text not null,
  table_name text not null,
  key jsonb not null,
  primary key (provider, schema_name, table_name, key)
);

-- One row per stream and table that was ever to be made equal.
create table tributary.reconcile (
  provider text not null,
  schema_name text not null,
  table_name text not null,
  -- wanted, running, held (a person must allow removals), failed, done
  state text not null default 'wanted',
  -- first_copy, publication_changed, slot_lost, rewound, asked, ...
  reason text not null,
  -- the key through which this table is equal, as texts; null: nothing yet
  through jsonb,
  -- rows the provider is thought to have; null: not known yet
  estimated bigint,
  -- rows of the provider walked over, sent in full, changed or removed here; bytes received
  walked bigint not null default 0,
  sent bigint not null default 0,
  repaired bigint not null default 0,
  bytes bigint not null default 0,
  -- rows a person allowed to be overwritten or removed beyond the bound of the topology; null: none
  allowed bigint,
  -- code of the failure of the last attempt
  failure text,
  wanted_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (provider, schema_name, table_name)
);

-- A JSON array of texts; null for JSON's null.
create function tributary.texts(list jsonb)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(list) = 'array' then array(select e.value from jsonb_array_elements_text(list) with ordinality e(value, n) order by e.n)
  end
$$;

-- The columns of a key with their types and, where values are text, the order that is the same everywhere.
create function tributary.key_columns(relation regclass, key text[])
returns table (quoted text, type text, ordering text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select
    format('t.%I', a.attname),
    format_type(a.atttypid, -1),
    case when a.attcollation <> 0 then ' collate "C"' else '' end
  from unnest(key) with ordinality k(name, n)
  join pg_attribute a on a.attrelid = relation and a.attname = k.name and a.attnum > 0 and not a.attisdropped
  order by k.n
$$;

-- Condition for the rows of key range (after, upto]; null: no bound on that side.
create function tributary.in_range(relation regclass, key text[], after text[], upto text[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(string_agg(side.condition, ' and '), 'true')
  from (
    select format(
      '(%s) %s (%s)',
      string_agg(k.quoted || k.ordering, ', ' order by k.n),
      bound.operator,
      string_agg(format('%L::%s', bound.at[k.n], k.type), ', ' order by k.n)
    ) as condition
    from (values ('>', after), ('<=', upto)) bound(operator, at)
    cross join tributary.key_columns(relation, key) with ordinality k(quoted, type, ordering, n)
    where bound.at is not null
    group by bound.operator
  ) side
$$;

create function tributary.key_order(relation regclass, key text[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(k.quoted || k.ordering, ', ' order by k.n)
  from tributary.key_columns(relation, key) with ordinality k(quoted, type, ordering, n)
$$;

-- A row as a number: equal for equal texts of its columns, on every version (hash functions and, under the settings of
-- the functions that use it, output functions do not change).
create function tributary.row_hash(columns text[])
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select format('hashtextextended(row(%s)::text, 0)', string_agg(format('t.%I', c.name), ', ' order by c.n))
  from unnest(columns) with ordinality c(name, n)
$$;

-- The select list of a key: uuid as it is, everything else as text.
create function tributary.key_list(relation regclass, key text[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(case when k.type = 'uuid' then k.quoted else format('format(''%%s'', %s)', k.quoted) end, ', ' order by k.n)
  from tributary.key_columns(relation, key) with ordinality k(quoted, type, ordering, n)
$$;

-- The first `most` rows of each range, in blocks of `block` rows: the range's number from 0, the last key of the block, how
-- many rows, their digest. The sum of hashes, because a row changed in the same way twice must not cancel itself.
create function tributary.blocks(
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
  names text := (select string_agg(format('k%s', k), ', ') from generate_series(1, cardinality(key)) k);
begin
  for one in select r.value, r.n - 1 as number from jsonb_array_elements(ranges) with ordinality r(value, n) order by r.n loop
    return query execute format(
      $q$
      select %1$s::integer, max(case when n.ends then array[%2$s] end), count(*), sum(n.hash)
      from (
        select
          %3$s,
          p.hash,
          (row_number() over w - 1) / %4$s as block,
          row_number() over w %% %4$s = 0 or not lead(true, 1, false) over w as ends
        from (
          select %5$s, %6$s as hash from %7$s t where (%8$s) and %9$s order by %10$s limit %11$s
        ) p
        window w as ()
      ) n
      group by n.block
      order by n.block
      $q$,
      one.number, texts, names, block, named, tributary.row_hash(columns), relation, filter,
      tributary.in_range(relation, key, tributary.texts(one.value -> 0), tributary.texts(one.value -> 1)),
      tributary.key_order(relation, key), most
    );
  end loop;
end
$$;

-- Number of rows and digest of each range, in their order; `ranges` is an array of [after, upto].
create function tributary.digests(
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
  one jsonb;
begin
  for one in select r.value from jsonb_array_elements(ranges) with ordinality r(value, n) order by r.n loop
    return query execute format(
      'select count(*), coalesce(sum(%s), 0) from %s t where (%s) and %s',
      tributary.row_hash(columns), relation, filter,
      tributary.in_range(relation, key, tributary.texts(one -> 0), tributary.texts(one -> 1))
    );
  end loop;
end
$$;

-- The statement that reads (range, key columns, hash) of one range in the order of the key.
create function tributary.hashes_statement(
  relation regclass, columns text[], key text[], filter text, number bigint, bounds jsonb
)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'select %s::integer, %s, %s from %s t where (%s) and %s order by %s',
    number, tributary.key_list(relation, key), tributary.row_hash(columns), relation, filter,
    tributary.in_range(relation, key, tributary.texts(bounds -> 0), tributary.texts(bounds -> 1)),
    tributary.key_order(relation, key)
  )
$$;

-- Rows as (range, key columns, hash) of each range; ranges are numbered from 0.
create function tributary.hashes(
  relation regclass, columns text[], key text[], filter text, ranges jsonb
)
returns setof record
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
begin
  for one in select r.value, r.n - 1 as number from jsonb_array_elements(ranges) with ordinality r(value, n) order by r.n loop
    return query execute tributary.hashes_statement(relation, columns, key, filter, one.number, one.value);
  end loop;
end
$$;

-- Condition that row `t` has the key in `e.value`, an array of texts.
create function tributary.has_key(relation regclass, key text[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format('%s = (e.value ->> %s)::%s', k.quoted, k.n - 1, k.type), ' and ')
  from tributary.key_columns(relation, key) with ordinality k(quoted, type, ordering, n)
$$;

-- Of each key that is there its number in `keys` from 0 and the hash of its row.
create function tributary.hashes_by_key(
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
    tributary.row_hash(columns), relation, tributary.has_key(relation, key), filter
  )
  using keys;
end
$$;

-- What follows is for the reader, with the rights of the tables' owner: rows the filter of the publication lets through,
-- in the columns it publishes, and nothing else. A filter may use built-in immutable functions only (see tables_with_rows).
create type tributary.published_table as (relation regclass, columns text[], filter text);

create function tributary.published(schema_name text, table_name text, columns text[])
returns tributary.published_table
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  found tributary.published_table;
  names text[];
begin
  select c.oid::regclass, t.attnames, coalesce(t.rowfilter, 'true')
  into found.relation, names, found.filter
  from pg_publication_tables t
  join pg_namespace n on n.nspname = t.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = t.tablename
  where t.pubname = 'tributary_up' and t.schemaname = schema_name and t.tablename = table_name;
  if found.relation is null then
    raise exception using errcode = 'undefined_table', message = 'the table is not published', schema = schema_name, table = table_name;
  end if;
  if not columns <@ names then
    raise exception using errcode = 'undefined_column', message = 'a column is not published', schema = schema_name, table = table_name;
  end if;
  found.columns := columns;
  return found;
end
$$;

-- How many rows the planner expects.
create function tributary.published_estimate(schema_name text, table_name text)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  source tributary.published_table := tributary.published(schema_name, table_name, '{}');
  plan json;
begin
  execute format('explain (format json) select from %s t where %s', source.relation, source.filter) into plan;
  return (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric::bigint;
end
$$;

create function tributary.published_blocks(
  schema_name text, table_name text, columns text[], key text[], ranges jsonb, most bigint, block bigint
)
returns table (range integer, last_key text[], count bigint, digest numeric)
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
  select b.range, b.last_key, b.count, b.digest
  from tributary.blocks(source.relation, columns, key, source.filter, ranges, most, block) b;
end
$$;

create function tributary.published_hashes(
  schema_name text, table_name text, columns text[], key text[], ranges jsonb
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
set datestyle = 'ISO,YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = '1'
set bytea_output = 'hex'
set xmloption = 'content'
set lc_monetary = 'C'
as $$
declare
  source tributary.published_table := tributary.published(schema_name, table_name, columns || key);
  one record;
begin
  for one in select r.value, r.n - 1 as number from jsonb_array_elements(ranges) with ordinality r(value, n) order by r.n loop
    return query execute tributary.hashes_statement(source.relation, columns, key, source.filter, one.number, one.value);
  end loop;
end
$$;

-- The expressions by which a column leaves in text form: what its output function says, as the walsender does. A cast to
-- text is another thing for boolean, character(n) or inet.
create function tributary.output_list(relation regclass, columns text[], form text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(
    case
      when form = 'binary' then format('t.%I', c.name)
      when a.atttypid in ('text'::regtype, 'varchar'::regtype) then format('t.%I::text', c.name)
      else format('case when t.%1$I is distinct from null then format(''%%s'', t.%1$I) end', c.name)
    end,
    ', ' order by c.n
  )
  from unnest(columns) with ordinality c(name, n)
  join pg_attribute a on a.attrelid = relation and a.attname = c.name and a.attnum > 0 and not a.attisdropped
$$;

-- Bytes of a row's columns of variable length as they are stored, without reading what lies out of line.
create function tributary.stored_size(relation regclass, columns text[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(string_agg(format('coalesce(pg_column_size(t.%I), 0)', a.attname), ' + '), '0')
  from pg_attribute a
  where a.attrelid = relation and a.attname = any (columns) and a.attlen = -1 and a.attnum > 0 and not a.attisdropped
$$;

-- The next rows after a key, at most so many and not more after so many bytes as they are stored.
create function tributary.published_rows(
  schema_name text, table_name text, columns text[], key text[], form text, after text[], upto text[], most bigint, bytes bigint
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
set work_mem = '16MB'
as $$
declare
  source tributary.published_table := tributary.published(schema_name, table_name, columns || key);
begin
  return query execute format(
    'select %s
     from (
       select t.*, sum(%s) over (rows between unbounded preceding and 1 preceding) as before_it
       from (select * from %s t where (%s) and %s order by %s limit %s) t
     ) t
     where before_it is null or before_it < %s',
    tributary.output_list(source.relation, columns, form),
    tributary.stored_size(source.relation, columns), source.relation, source.filter,
    tributary.in_range(source.relation, key, after, upto),
    tributary.key_order(source.relation, key), most, bytes
  );
end
$$;

create function tributary.published_hashes_by_key(
  schema_name text, table_name text, columns text[], key text[], keys jsonb
)
returns table (number integer, hash bigint)
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
  select h.number, h.hash from tributary.hashes_by_key(source.relation, columns, key, source.filter, keys) h;
end
$$;

-- The rows of some keys, an array of arrays of texts; those that are not there, or not let through, are left out. Not
-- more after so many bytes as they are stored: ask again for the keys of the rest.
create function tributary.published_rows_by_key(
  schema_name text, table_name text, columns text[], key text[], form text, keys jsonb, bytes bigint
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  source tributary.published_table := tributary.published(schema_name, table_name, columns || key);
begin
  return query execute format(
    'select %s
     from (
       select t.*, sum(%s) over (rows between unbounded preceding and 1 preceding) as before_it
       from (select t.* from jsonb_array_elements($1) e join %s t on %s where %s) t
     ) t
     where before_it is null or before_it < %s',
    tributary.output_list(source.relation, columns, form), tributary.stored_size(source.relation, columns),
    source.relation, tributary.has_key(source.relation, key), source.filter, bytes
  )
  using keys;
end
$$;

revoke all on function
  tributary.published_estimate(text, text),
  tributary.published_blocks(text, text, text[], text[], jsonb, bigint, bigint),
  tributary.published_hashes(text, text, text[], text[], jsonb),
  tributary.published_rows(text, text, text[], text[], text, text[], text[], bigint, bigint),
  tributary.published_hashes_by_key(text, text, text[], text[], jsonb),
  tributary.published_rows_by_key(text, text, text[], text[], text, jsonb, bigint)
from public;

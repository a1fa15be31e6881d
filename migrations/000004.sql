-- Free space of the disk at each heartbeat, beside its position in the log: a day of both makes the forecasts.
alter table tributary.heartbeat_log add column disk_free bigint;

-- Slots of Tributary that nobody reads and the topology file in force does not name, and since when.
create table tributary.unused_slot (
  slot text primary key,
  since timestamptz not null default now()
);

-- Gives up the log that such a slot holds. Dropping a slot takes REPLICATION, which the running node's role does not
-- have: prepared by a superuser, the function is given to the reading role, which has it.
create function tributary.drop_unused_slot(unused text) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_catalog.pg_drop_replication_slot(s.slot_name)
  from pg_catalog.pg_replication_slots s
  join tributary.unused_slot u on u.slot = s.slot_name
  where s.slot_name = unused
    and starts_with(s.slot_name, 'tributary_')
    and s.database = current_database()
    and not s.active
    and not s.temporary
    and u.since < clock_timestamp() - interval '1 day';
  return found;
end
$$;

revoke all on function tributary.drop_unused_slot(text) from public;

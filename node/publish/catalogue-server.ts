/** Server, settings, roles and the connecting role's own rights. */
import type pg from 'pg';
import { literal } from '../database/ident.ts';

export interface ServerFacts {
  readonly version: number;
  readonly database: string;
  readonly encoding: string;
  /** The role that reads this. */
  readonly user: string;
  readonly superuser: boolean;
  /** Whether the connecting role may create schemas and publications in this database. */
  readonly mayCreate: boolean;
  readonly settings: ReadonlyMap<string, Setting>;
  readonly roles: { readonly reader: RoleFacts | null; readonly writer: RoleFacts | null };
  readonly slots: readonly SlotFacts[];
  /** Slots and walsenders of the whole cluster now in use. */
  readonly slotsUsed: number;
  readonly sendersUsed: number;
}

export interface Setting {
  /** As in force, in the base unit of the setting. */
  readonly value: string;
  /** As a new session gets it; for the TCP settings `value` shows the kernel's instead. */
  readonly reset: string;
  readonly unit: string | null;
  readonly pendingRestart: boolean;
}

export interface RoleFacts {
  readonly name: string;
  readonly login: boolean;
  readonly replication: boolean;
  readonly superuser: boolean;
  readonly bypassRls: boolean;
  readonly connect: boolean;
  readonly monitor: boolean;
  readonly signal: boolean;
  readonly setReplicationRole: boolean;
}

export interface SlotFacts {
  readonly name: string;
  readonly plugin: string | null;
  readonly active: boolean;
  readonly walStatus: string | null;
}

const settingNames = [
  'wal_level',
  'max_slot_wal_keep_size',
  'max_replication_slots',
  'max_wal_senders',
  'max_wal_size',
  'tcp_keepalives_idle',
  'tcp_keepalives_interval',
  'tcp_keepalives_count',
  'wal_sender_timeout',
  'idle_replication_slot_timeout',
  'track_commit_timestamp',
  'fsync',
  'full_page_writes',
];

export async function readServer(
  client: pg.ClientBase,
  names: { readonly reader: string; readonly writer: string },
): Promise<ServerFacts> {
  const { rows } = await client.query<Omit<ServerFacts, 'settings' | 'roles' | 'slots'>>(`
    select
      current_setting('server_version_num')::int as version,
      d.datname::text as database,
      pg_encoding_to_char(d.encoding)::text as encoding,
      current_user::text as "user",
      r.rolsuper as superuser,
      has_database_privilege(d.oid, 'create') as "mayCreate",
      (select count(*)::int from pg_replication_slots) as "slotsUsed",
      (select count(*)::int from pg_stat_replication) as "sendersUsed"
    from pg_database d
    join pg_roles r on r.rolname = current_user
    where d.datname = current_database()`);
  const first = rows[0];
  if (first === undefined) {
    throw new Error('pg_database does not list the current database');
  }
  return {
    ...first,
    settings: await readSettings(client),
    roles: {
      reader: await readRole(client, names.reader),
      writer: await readRole(client, names.writer),
    },
    slots: await readSlots(client),
  };
}

async function readSettings(client: pg.ClientBase): Promise<ReadonlyMap<string, Setting>> {
  const { rows } = await client.query<Setting & { name: string }>(
    `select s.name, s.setting as value, s.reset_val as reset, s.unit, s.pending_restart as "pendingRestart"
    from pg_settings s
    where s.name = any($1::text[])`,
    [settingNames],
  );
  return new Map(rows.map(({ name, ...setting }) => [name, setting]));
}

async function readRole(client: pg.ClientBase, name: string): Promise<RoleFacts | null> {
  const role = literal(name);
  const { rows } = await client.query<RoleFacts>(`
    select
      r.rolname::text as name,
      r.rolcanlogin as login,
      r.rolreplication as replication,
      r.rolsuper as superuser,
      r.rolsuper or r.rolbypassrls as "bypassRls",
      has_database_privilege(r.oid, current_database(), 'connect') as connect,
      pg_has_role(r.oid, 'pg_monitor', 'usage') as monitor,
      pg_has_role(r.oid, 'pg_signal_backend', 'usage') as signal,
      has_parameter_privilege(r.oid, 'session_replication_role', 'set') as "setReplicationRole"
    from pg_roles r
    where r.rolname = ${role}`);
  return rows[0] ?? null;
}

async function readSlots(client: pg.ClientBase): Promise<readonly SlotFacts[]> {
  const { rows } = await client.query<SlotFacts>(`
    select s.slot_name::text as name, s.plugin::text, s.active, s.wal_status as "walStatus"
    from pg_replication_slots s
    where s.database = current_database() and s.slot_name like 'tributary\\_%'
    order by s.slot_name`);
  return rows;
}

/** A small replication set and tree for the tests of prepare, check and watch. */
import type pg from 'pg';
import type { Filter, NodeConfig, ReplicatedTable, Secret, Topology } from '../config/model.ts';
import { roles } from './database.ts';

export const approvedStatus: Filter = {
  sql: "(status = 'approved')",
  columns: ['status'],
  expression: {
    kind: 'compare',
    operator: '=',
    left: { kind: 'column', column: 'status' },
    right: { kind: 'constant', sql: "'approved'" },
  },
};

export function tableOf(name: string, changes: Partial<ReplicatedTable> = {}): ReplicatedTable {
  return {
    schema: 'public',
    name,
    key: null,
    approved: null,
    columns: null,
    at: new Map(),
    identity: 'index',
    carry: 'trigger',
    origin: null,
    orphans: { rule: 'wait' },
    orphansByForeignKey: new Map(),
    deletes: { rule: 'hard' },
    ...changes,
  };
}

export function secretOf(url: string): Secret {
  return { template: url, line: 1, read: () => url };
}

export interface NodeChanges extends Partial<NodeConfig> {
  readonly url?: string;
}

export function nodeOf(
  name: string,
  level: string,
  parent: string | null,
  { url = 'postgres://127.0.0.1:1/none', ...changes }: NodeChanges = {},
): NodeConfig {
  return {
    name,
    title: name,
    level,
    parent,
    link: 'direct',
    database: secretOf(url),
    provider: parent === null ? null : secretOf(url),
    roles: { reader: roles.reader, writer: roles.writer },
    http: { host: '127.0.0.1', port: 0, open: false },
    disk: null,
    probes: [],
    outage: null,
    spool: null,
    retired: false,
    adopt: false,
    ...changes,
  };
}

/** nation <- north <- district_a; the tables of `setUp` unless others are named. */
export function topologyOf(
  tables: readonly ReplicatedTable[] = standardTables,
  nodes: readonly NodeConfig[] = [
    nodeOf('nation', 'nation', null),
    nodeOf('north', 'region', 'nation'),
    nodeOf('district_a', 'district', 'north'),
  ],
): Topology {
  return {
    file: 'topology/test.yaml',
    digest: '0123456789ab',
    zone: 'UTC',
    heartbeatMs: 30_000,
    verify: null,
    levels: ['district', 'region', 'nation'],
    tables,
    nodes,
  };
}

export const standardTables: readonly ReplicatedTable[] = [
  tableOf('facility', { key: ['code'] }),
  tableOf('case_report', { approved: approvedStatus }),
  tableOf('visit', { key: ['id', 'day'], approved: approvedStatus }),
];

/** The application's tables, made by their owner. */
export const setUp = `
  create table public.facility (code text primary key, name text not null);
  create table public.case_report (
    id uuid primary key default gen_random_uuid(),
    facility_code text references public.facility,
    status text not null default 'draft',
    note text,
    form jsonb,
    scan bytea,
    amounts numeric[]
  );
  create table public.visit (
    id uuid not null,
    day date not null,
    status text not null default 'draft',
    note text,
    primary key (id, day)
  ) partition by range (day);
  create table public.visit_2025 partition of public.visit for values from ('2025-01-01') to ('2026-01-01');
  create table public.visit_2026 partition of public.visit for values from ('2026-01-01') to ('2027-01-01');`;

export async function asOwner(pool: {
  query(sql: string): Promise<pg.QueryResult>;
}): Promise<void> {
  await pool.query(`set role ${roles.owner}; ${setUp}; reset role`);
}

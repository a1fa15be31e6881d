/**
 * The application of the tests: what a datacentre's own software would have made. Every kind of table the replication
 * set may hold: a text key, a filter with index identity and values out of line, identity full with a nullable filter.
 */

export interface ApplicationTable {
  readonly name: string;
  /** SQL over the table's columns; null: every row. */
  readonly approved: string | null;
  readonly key: string;
}

export const applicationTables: readonly ApplicationTable[] = [
  { name: 'facility', approved: null, key: 'code' },
  { name: 'case_report', approved: "status = 'approved'", key: 'id' },
  { name: 'laboratory_result', approved: 'released', key: 'id' },
];

/** The `tables:` of the topology file. */
export const applicationYaml = `tables:
  - table: public.facility
    key: [code]
  - table: public.case_report
    approved: status = 'approved'
  - table: public.laboratory_result
    approved: released
    identity: full
`;

/** Run by the owner at every node. `narrative` and `image` lie out of line, uncompressed. */
export const applicationSql = `
  create table public.facility (
    code text primary key,
    name text not null,
    beds integer
  );

  create table public.case_report (
    id uuid primary key,
    status text not null default 'draft',
    facility text,
    ticket text unique,
    entered_by text,
    note text,
    amount numeric,
    at timestamptz default now(),
    detail jsonb,
    narrative text,
    scan bytea
  );
  alter table public.case_report alter column narrative set storage external;
  create index on public.case_report (entered_by);

  create table public.laboratory_result (
    id uuid primary key,
    released boolean,
    entered_by text,
    value double precision,
    image bytea
  );
  alter table public.laboratory_result alter column image set storage external;
  create index on public.laboratory_result (entered_by);

  -- Not in the replication set.
  create table public.unrelated (
    id bigint generated always as identity primary key,
    filler text
  );
`;

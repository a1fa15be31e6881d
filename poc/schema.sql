-- A small health domain, the same tables at every level. Keys are made by the application. Every table counts its
-- edits in `revision`, as applications with optimistic locking do.

create table public.facility (
  id uuid primary key,
  code text not null unique,
  name text not null,
  kind text not null check (kind in ('hospital', 'health_centre', 'health_post')),
  active boolean not null default true,
  beds integer,
  latitude numeric(9, 6),
  longitude numeric(9, 6),
  services jsonb not null default '[]',
  revision integer not null default 1,
  updated timestamptz not null default now()
);

create table public.case_report (
  id uuid primary key,
  facility_id uuid not null references public.facility (id),
  status text not null default 'draft' check (status in ('draft', 'approved', 'withdrawn')),
  disease text not null,
  onset date not null,
  patient_name text not null,
  patient_age smallint,
  temperature numeric(4, 1),
  symptoms jsonb not null default '{}',
  -- often several kB of text that does not compress, kept out of line
  narrative text,
  approved_at timestamptz,
  approved_by text,
  revision integer not null default 1,
  updated timestamptz not null default now()
);

create index case_report_facility on public.case_report (facility_id);

create table public.laboratory_result (
  id uuid primary key,
  case_report_id uuid not null references public.case_report (id),
  status text not null default 'draft' check (status in ('draft', 'approved', 'withdrawn')),
  test text not null,
  result double precision,
  unit text,
  positive boolean,
  sampled timestamptz not null,
  flags text[] not null default '{}',
  -- what the instrument printed; sometimes out of line
  report text,
  revision integer not null default 1,
  updated timestamptz not null default now()
);

create index laboratory_result_case_report on public.laboratory_result (case_report_id);

create table public.attachment (
  id uuid primary key,
  case_report_id uuid not null references public.case_report (id),
  status text not null default 'draft' check (status in ('draft', 'approved', 'withdrawn')),
  file_name text not null,
  media_type text not null,
  -- 20 kB that do not compress: out of line, and approval does not touch it
  content bytea not null,
  description text,
  metadata jsonb not null default '{}',
  revision integer not null default 1,
  updated timestamptz not null default now()
);

create index attachment_case_report on public.attachment (case_report_id);

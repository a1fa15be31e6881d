/** The work of a drain as SQL: tables, what stands in them before, and the backlog. The same for every side. */

export interface Workload {
  /** As `--workloads` names it. */
  readonly name: string;
  readonly about: string;
  /** Rows that stand in the table before, keyed by number; every side is level with them. */
  readonly keys: number;
  /** The call that makes a backlog of so many changes. A tenth of it goes before, for code and caches to be warm. */
  backlog(changes: number, keys: number): string;
  readonly changes: number;
  /** Least wall ratio against native binary that is wanted, with its synchronous_commit off and on. */
  readonly wanted: { readonly off: number; readonly on: number } | null;
}

/**
 * A row is about 260 bytes. Both indexes stand on both sides: (id, status) is the replica identity and what a middle
 * node would need of its own. `body` lies out of line, uncompressed.
 */
export const tablesSql = `
  create table public.record (
    id uuid primary key,
    status text not null,
    facility integer not null,
    patient text not null,
    amount numeric(12,2),
    entered timestamptz not null default now(),
    note text not null,
    body text,
    unique (id, status)
  );
  alter table public.record alter column body set storage external;
  create table public.marker (n bigint primary key);
`;

export const filter = `status = 'approved'`;

export const tablesYaml = `tables:
  - table: public.record
    approved: ${filter}
  - table: public.marker
    key: [n]
`;

/** Made at the provider only. Every procedure commits by itself; keys of rows to change are made from their number. */
export const proceduresSql = `
  create function public.key_of(n integer) returns uuid
  language sql immutable as $$ select md5(n::text)::uuid $$;

  create function public.text_of(n integer, length integer) returns text
  language sql immutable as $$
    select substr(string_agg(md5((n + i)::text), ''), 1, length) from generate_series(0, length / 32) i
  $$;

  -- Transactions of \`per\` inserts; \`approved\` of ten are approved. Random keys, unless \`keyed\`.
  create procedure public.insert_rows(total integer, per integer, approved integer, keyed boolean, large integer)
  language plpgsql as $$
  begin
    for part in 0 .. total / per - 1 loop
      insert into public.record (id, status, facility, patient, amount, note, body)
      select
        case when keyed then public.key_of(n) else gen_random_uuid() end,
        case when n % 10 < approved then 'approved' else 'draft' end,
        n % 1000, 'patient ' || n, n % 5000, public.text_of(n, 140),
        case when large > 0 then public.text_of(n * 7, large) end
      from generate_series(part * per + 1, part * per + per) n;
      commit;
    end loop;
  end
  $$;

  -- Transactions of up to \`per\` updates of keyed rows: drafts are approved half the time, approved ones withdrawn a
  -- quarter of the time, which keeps two thirds approved and sends five of six changes. \`hot\`: nine of ten updates
  -- go to the first hundredth of the keys.
  create procedure public.update_rows(total integer, per integer, keys integer, hot boolean)
  language plpgsql as $$
  begin
    perform setseed(0.42);
    for part in 1 .. total / per loop
      update public.record r
      set
        status = case
          when status = 'draft' and random() < 0.5 then 'approved'
          when status = 'approved' and random() < 0.25 then 'draft'
          else status end,
        amount = amount + 1,
        note = public.text_of(part, 140)
      from (
        select distinct public.key_of(1 + floor(
          random() * keys * case when hot and random() < 0.9 then 0.01 else 1 end)::integer) as id
        from generate_series(1, per)
      ) chosen
      where r.id = chosen.id;
      commit;
    end loop;
  end
  $$;
`;

export const workloads: readonly Workload[] = [
  {
    name: 'inserts',
    about: 'W1: 500 k inserts in transactions of 1,000, half of them approved',
    keys: 1000,
    changes: 500_000,
    backlog: (changes) => `call public.insert_rows(${changes}, 1000, 5, false, 0)`,
    wanted: { off: 1, on: 1 },
  },
  {
    name: 'singles',
    about: 'W2: 100 k transactions of one approved insert',
    keys: 1000,
    changes: 100_000,
    backlog: (changes) => `call public.insert_rows(${changes}, 1, 10, false, 0)`,
    wanted: { off: 1, on: 5 },
  },
  {
    name: 'updates',
    about:
      'W3: 300 k updates in transactions of 100 with approvals and withdrawals, five of six sent',
    keys: 150_000,
    changes: 300_000,
    backlog: (changes, keys) => `call public.update_rows(${changes}, 100, ${keys}, false)`,
    wanted: { off: 1.25, on: 1.25 },
  },
  {
    name: 'large',
    about: '30 k updates of rows with 8 kB out of line that does not change, with approvals',
    keys: 10_000,
    changes: 30_000,
    backlog: (changes, keys) => `call public.update_rows(${changes}, 100, ${keys}, false)`,
    wanted: null,
  },
  {
    name: 'skewed',
    about: '300 k updates in transactions of 100, nine of ten on a hundredth of the keys',
    keys: 150_000,
    changes: 300_000,
    backlog: (changes, keys) => `call public.update_rows(${changes}, 100, ${keys}, true)`,
    wanted: null,
  },
  {
    name: 'huge',
    about: 'one transaction of a million approved inserts',
    keys: 1000,
    changes: 1_000_000,
    backlog: (changes) => `call public.insert_rows(${changes}, ${changes}, 10, false, 0)`,
    wanted: null,
  },
];

/** The calls before the backlog, and the backlog, of a workload at a scale. */
export function callsOf(
  workload: Workload,
  scale: number,
): { readonly before: readonly string[]; readonly backlog: readonly string[] } {
  const keys = whole(workload.keys * scale);
  const changes = whole(workload.changes * scale);
  const large = workload.name === 'large' ? 8000 : 0;
  return {
    before: [
      `call public.insert_rows(${keys}, 1000, 7, true, ${large})`,
      workload.backlog(whole(changes / 10), keys),
    ],
    backlog: [workload.backlog(changes, keys)],
  };
}

/** A multiple of 1,000, so that every transaction is full. */
function whole(count: number): number {
  return Math.max(1, Math.round(count / 1000)) * 1000;
}

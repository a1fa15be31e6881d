/**
 * One row after the other at the district, and when each is seen at the nation. A row holds the server's clock at its
 * insert, before its commit; the nation's server looks for it every 0.2 ms and notes its own clock, which is the same.
 */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

export const probeSql = `
  create table public.probe (
    n bigint primary key,
    status text not null,
    entered timestamptz not null,
    note text not null,
    unique (n, status)
  );
`;

export const probeFilter = `status = 'approved'`;

/** At the nation. Each look is a statement of its own and sees what is committed by then. */
export const arrivalsSql = `
  create function public.arrivals(first bigint, last bigint, patience interval)
  returns table (n bigint, seen timestamptz)
  language plpgsql volatile as $$
  declare
    before bigint := first - 1;
    top bigint;
    deadline timestamptz := clock_timestamp() + patience;
  begin
    while before < last and clock_timestamp() < deadline loop
      select max(p.n) into top from public.probe p;
      if top > before then
        return query select g, clock_timestamp() from generate_series(before + 1, top) g;
        before := top;
      end if;
      perform pg_sleep(0.0002);
    end loop;
  end
  $$;
`;

export interface ProbeOptions {
  readonly district: string;
  readonly nation: string;
  readonly first: number;
  readonly count: number;
  /** Milliseconds from one row to the next; 0: as fast as one session can. */
  readonly gapMs: () => number;
}

export interface ProbeResult {
  /** Milliseconds from insert to sight, per row. */
  readonly delays: readonly number[];
  /** From the first insert until the last row was seen. */
  readonly seconds: number;
}

export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  await using district = await session(options.district);
  await using nation = await session(options.nation);
  const { first, count } = options;
  const last = first + count - 1;
  const arrivals = nation.client.query<{ n: string; seen: number }>(
    `select n, extract(epoch from seen)::float8 * 1000 as seen from public.arrivals($1, $2, '5 min')`,
    [first, last],
  );
  await enter(district.client, options);
  const { rows: seen } = await arrivals;
  if (seen.length !== count) {
    throw new Error(`${count - seen.length} of ${count} rows were not seen`);
  }
  const { rows: entered } = await district.client.query<{ n: string; entered: number }>(
    `select n, extract(epoch from entered)::float8 * 1000 as entered from public.probe where n between $1 and $2`,
    [first, last],
  );
  const enteredAt = new Map(entered.map((row) => [row.n, row.entered]));
  const delays = seen.map((row) => row.seen - (enteredAt.get(row.n) ?? Number.NaN));
  const ends = seen.map((row) => row.seen);
  return { delays, seconds: ((ends.at(-1) ?? 0) - (enteredAt.get(String(first)) ?? 0)) / 1000 };
}

async function enter(client: pg.Client, { first, count, gapMs }: ProbeOptions): Promise<void> {
  const insert = {
    name: 'enter',
    text: `insert into public.probe values ($1, 'approved', clock_timestamp(), repeat('x', 150))`,
  };
  let due = performance.now();
  for (let n = first; n < first + count; n += 1) {
    due += gapMs();
    const early = due - performance.now();
    if (early > 0) {
      await pause(early);
    }
    await client.query({ ...insert, values: [n] });
  }
}

async function session(url: string): Promise<AsyncDisposable & { readonly client: pg.Client }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      await client.end();
    },
  };
}

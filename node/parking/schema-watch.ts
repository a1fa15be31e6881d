/**
 * While keys are parked because rows can not be stored, the definitions of the tables are looked at: when one changes,
 * its keys are due, for the change may be what they waited for.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';

export interface SchemaWatchOptions {
  readonly pool: pg.Pool;
  readonly everyMs?: number;
}

export class SchemaWatch {
  readonly #options: SchemaWatchOptions;
  /** By table: a digest of its definition. */
  #seen = new Map<string, string>();

  constructor(options: SchemaWatchOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The database being away is told elsewhere; the next look finds what changed meanwhile.
      await this.look().catch(() => {});
      await pause(this.#options.everyMs ?? 10_000, undefined, { signal }).catch(() => {});
    }
  }

  /** Nothing of its own to tell. */
  findings(): readonly never[] {
    return [];
  }

  /** Keys made due. */
  async look(): Promise<number> {
    const { rows } = await this.#options.pool.query<{ name: string; digest: string }>(digests);
    const changed = rows.filter(({ name, digest }) => {
      const before = this.#seen.get(name);
      return before !== undefined && before !== digest;
    });
    // A table of which nothing is parked any more is forgotten.
    this.#seen = new Map(rows.map(({ name, digest }) => [name, digest]));
    if (changed.length === 0) {
      return 0;
    }
    const { rowCount } = await this.#options.pool.query(
      `update tributary.parked p set retry_at = now()
       where p.reason = 'row_failed' and p.schema_name || '.' || p.table_name = any ($1::text[])`,
      [changed.map(({ name }) => name)],
    );
    return rowCount ?? 0;
  }
}

/** Columns, constraints, indexes and triggers of the tables, and of the domains of their columns. */
const digests = `
  select
    p.name,
    md5(concat_ws(
      ' ',
      (
        select string_agg(concat_ws(' ', a.attname, a.atttypid, a.atttypmod, a.attnotnull), ',' order by a.attnum)
        from pg_catalog.pg_attribute a
        where a.attrelid = p.oid and a.attnum > 0 and not a.attisdropped
      ),
      (
        select string_agg(concat_ws(' ', k.oid, k.conname, k.convalidated, pg_catalog.pg_get_constraintdef(k.oid)), ',' order by k.oid)
        from pg_catalog.pg_constraint k
        where k.conrelid = p.oid
          or k.contypid in (select a.atttypid from pg_catalog.pg_attribute a where a.attrelid = p.oid and a.attnum > 0)
      ),
      (
        select string_agg(concat_ws(' ', i.indexrelid, i.indisunique, i.indisvalid), ',' order by i.indexrelid)
        from pg_catalog.pg_index i
        where i.indrelid = p.oid
      ),
      (
        select string_agg(concat_ws(' ', t.oid, t.tgenabled, f.prosrc), ',' order by t.oid)
        from pg_catalog.pg_trigger t
        join pg_catalog.pg_proc f on f.oid = t.tgfoid
        where t.tgrelid = p.oid and not t.tgisinternal
      )
    )) as digest
  from (
    select distinct k.schema_name || '.' || k.table_name as name, c.oid
    from tributary.parked k
    join pg_catalog.pg_namespace n on n.nspname = k.schema_name
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = k.table_name
    where k.reason = 'row_failed'
  ) p`;

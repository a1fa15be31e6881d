/** The foreign keys here between tables of the set whose rule for orphans asks for something, as the catalogue has them. */
import type { ReplicatedTable } from '../config/model.ts';
import { ident, qualified } from '../database/ident.ts';
import type { Query } from './session.ts';

export interface ForeignKey {
  readonly name: string;
  readonly table: ReplicatedTable;
  readonly refers: ReplicatedTable;
  readonly columns: readonly string[];
  readonly referred: readonly string[];
  readonly rule: 'wait' | 'deactivate';
  /** Of deactivate: the flag. */
  readonly flag: string | null;
}

/** A foreign key may be added while the stream runs. */
const keptMs = 60_000;

export class ForeignKeys {
  readonly #tables: readonly ReplicatedTable[];
  readonly #query: Query;
  #known: readonly ForeignKey[] | null = null;
  #involved: ReadonlySet<string> = new Set();
  #until = 0;

  constructor(tables: readonly ReplicatedTable[], query: Query) {
    this.#tables = tables;
    this.#query = query;
  }

  /** As of the last `prepare`. */
  get all(): readonly ForeignKey[] {
    return this.#known ?? [];
  }

  /** Whether rows of a table, by `schema.name`, refer or are referred to. */
  involves(table: string): boolean {
    return this.#involved.has(table);
  }

  /** The catalogue may have changed. */
  reload(): void {
    this.#known = null;
  }

  /** Looks the keys up where they are not known, or for long. @throws the database's error. */
  async prepare(): Promise<void> {
    if (this.#known === null || performance.now() > this.#until) {
      this.#known = await this.#load();
      this.#until = performance.now() + keptMs;
      this.#involved = new Set(
        this.#known.flatMap(({ table, refers }) => [nameOf(table), nameOf(refers)]),
      );
    }
  }

  async #load(): Promise<readonly ForeignKey[]> {
    const { rows } = await this.#query(
      `select c.conname as name, tn.nspname || '.' || t.relname as "table", rn.nspname || '.' || r.relname as refers,
         (select jsonb_agg(a.attname order by k.n) from unnest(c.conkey) with ordinality k(attnum, n)
          join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum) as columns,
         (select jsonb_agg(a.attname order by k.n) from unnest(c.confkey) with ordinality k(attnum, n)
          join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum) as referred
       from pg_catalog.pg_constraint c
       join pg_catalog.pg_class t on t.oid = c.conrelid join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
       join pg_catalog.pg_class r on r.oid = c.confrelid join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
       where c.contype = 'f' and c.conparentid = 0
         and tn.nspname || '.' || t.relname = any ($1::text[]) and rn.nspname || '.' || r.relname = any ($1::text[])
       order by c.conname`,
      [this.#tables.map(nameOf)],
    );
    return (rows as FoundKey[]).flatMap(({ name, columns, referred, ...found }) => {
      const table = this.#tables.find((one) => nameOf(one) === found.table);
      const refers = this.#tables.find((one) => nameOf(one) === found.refers);
      const rule = table && (table.orphansByForeignKey.get(name) ?? table.orphans);
      if (!table || !refers || !rule || rule.rule === 'keep') {
        return [];
      }
      const flag = rule.rule === 'deactivate' ? rule.column : null;
      return [{ name, table, refers, columns, referred, rule: rule.rule, flag }];
    });
  }
}

interface FoundKey {
  readonly name: string;
  readonly table: string;
  readonly refers: string;
  readonly columns: readonly string[];
  readonly referred: readonly string[];
}

/** Whether row `t` has what it refers to, as a foreign key with match simple: a null refers to nothing. */
export function holds({ refers, columns, referred }: ForeignKey): string {
  const equal = columns.map((name, at) => `r.${ident(referred[at] ?? '')} = t.${ident(name)}`);
  const nulls = columns.map((name) => `t.${ident(name)} is null`);
  return `(${nulls.join(' or ')} or exists (select from ${qualified(refers)} r where ${equal.join(' and ')}${present(refers)}))`;
}

/** Further condition on a row `r` that it is here, and not only softly. */
export function present({ deletes }: ReplicatedTable): string {
  return deletes.rule === 'soft' ? ` and r.${ident(deletes.column)} is not true` : '';
}

/** `schema.name` */
export function nameOf({
  schema,
  name,
}: {
  readonly schema: string;
  readonly name: string;
}): string {
  return `${schema}.${name}`;
}

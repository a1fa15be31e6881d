/**
 * `orphans: {deactivate: column}`: after the changes of a part, in its transaction, the flag of every row it may concern
 * is what holds now: true if each row it refers to is here and not soft-deleted. Set-based, for foreign keys between tables
 * of the set; the flag is this node's own, so rows of every origin have it.
 */
import type { ReplicatedTable } from '../config/model.ts';
import { ident, qualified } from '../database/ident.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { bind, formOf, params } from './binding.ts';
import type { Layout } from './layout.ts';
import { oldKeyTuple } from './row-key.ts';
import type { Query } from './session.ts';
import { match, source } from './statements.ts';

interface ForeignKey {
  readonly name: string;
  /** `schema.name` of both tables. */
  readonly table: string;
  readonly refers: string;
  readonly columns: readonly string[];
  readonly referred: readonly string[];
}

/** One flag of a table with the foreign keys it tells of. */
interface Flag {
  readonly table: ReplicatedTable;
  readonly column: string;
  readonly keys: readonly ForeignKey[];
}

/** Tuples of a table whose rows a part touched; all: too many to remember, or a truncate. */
interface Touched {
  readonly layout: Layout;
  tuples: Tuple[] | 'all';
}

const remembered = 100_000;

export class OrphanFlags {
  readonly #tables: readonly ReplicatedTable[];
  readonly #query: Query;
  /** Whether any table of the set has such a rule. */
  readonly #asked: boolean;
  #flags: readonly Flag[] | null = null;
  #until = 0;
  #touched = new Map<string, Touched>();

  constructor(tables: readonly ReplicatedTable[], query: Query) {
    this.#tables = tables;
    this.#query = query;
    this.#asked = tables.some((table) => rulesOf(table).some(({ rule }) => rule === 'deactivate'));
  }

  /** Nothing is remembered of an attempt that was undone. */
  forget(): void {
    this.#touched = new Map();
  }

  /** The catalogue may have changed. */
  reload(): void {
    this.#flags = null;
  }

  /** Remembers what the transactions touch. */
  note(
    transactions: readonly Transaction[],
    layoutOf: (relation: Relation) => Layout | null,
  ): void {
    if (!this.#asked) {
      return;
    }
    for (const { changes } of transactions) {
      for (const step of changes) {
        if (step.kind === 'truncate') {
          step.relations.forEach((relation) => this.#add(layoutOf(relation), 'all'));
        } else if (step.kind !== 'message') {
          const old = oldKeyTuple(step);
          this.#add(
            layoutOf(step.relation),
            step.new && step.new !== old ? [old, step.new] : [old],
          );
        }
      }
    }
  }

  /** Before the commit. @throws the database's error. */
  async judge(): Promise<void> {
    const touched = this.#touched;
    this.#touched = new Map();
    if (touched.size === 0) {
      return;
    }
    for (const flag of await this.#known()) {
      const own = touched.get(nameOf(flag.table));
      if (own) {
        await this.#ofTable(flag, own);
      }
      for (const key of flag.keys) {
        const referred = touched.get(key.refers);
        if (referred) {
          await this.#ofReferred(flag, key, referred);
        }
      }
    }
  }

  /** Looked up again after a minute: a foreign key may have been added. */
  async #known(): Promise<readonly Flag[]> {
    if (this.#flags === null || performance.now() > this.#until) {
      this.#flags = await this.#load();
      this.#until = performance.now() + 60_000;
    }
    return this.#flags;
  }

  #add(layout: Layout | null, tuples: readonly Tuple[] | 'all'): void {
    if (!layout) {
      return;
    }
    const known = this.#touched.get(layout.table);
    if (!known) {
      this.#touched.set(layout.table, { layout, tuples: tuples === 'all' ? 'all' : [...tuples] });
    } else if (tuples === 'all' || known.tuples === 'all' || known.tuples.length > remembered) {
      known.tuples = 'all';
    } else {
      known.tuples.push(...tuples);
    }
  }

  /** The rows that were touched themselves. */
  async #ofTable(flag: Flag, { layout, tuples }: Touched): Promise<void> {
    if (tuples === 'all') {
      await this.#query(this.#setSql(flag));
      return;
    }
    const [first] = tuples;
    if (first) {
      const key = params(layout.key, formOf(layout, first));
      const sql = this.#setSql(flag, { from: source(key), where: match(key) });
      await this.#query(sql, bind(key, tuples, layout.table));
    }
  }

  /** The rows that refer to rows that were touched, by the values referred to where a tuple holds them. */
  async #ofReferred(flag: Flag, key: ForeignKey, { layout, tuples }: Touched): Promise<void> {
    const columns = key.referred.flatMap((name) =>
      layout.columns.filter(({ column }) => column.name === name),
    );
    const whole = columns.length === key.referred.length;
    const ofKey = columns.every(({ index }) => layout.keyIndexes.includes(index));
    if (tuples === 'all' || !whole || (!ofKey && this.#deletesHard(key.refers))) {
      // The values of a row that was deleted are gone with it.
      await this.#query(this.#setSql(flag));
      return;
    }
    const holding = tuples.filter((tuple) =>
      columns.every(({ index }) => !['null', 'unchanged'].includes(tuple.kind(index))),
    );
    const [first] = holding;
    if (!first) {
      return;
    }
    const values = params(columns, formOf(layout, first));
    const meets = key.columns.map((name, at) => {
      const value = values[at];
      const cast = value?.form === 'text' ? `::${value.column.type}` : '';
      return `t.${ident(name)} = s.c${at + 1}${cast}`;
    });
    const sql = this.#setSql(flag, { from: source(values), where: meets.join(' and ') });
    await this.#query(sql, bind(values, holding, layout.table));
  }

  #setSql(flag: Flag, some?: { readonly from: string; readonly where: string }): string {
    const column = `t.${ident(flag.column)}`;
    const holds = flag.keys.map((key) => this.#holds(key)).join(' and ');
    const from = some ? ` from ${some.from}` : '';
    const where = some ? `${some.where} and ` : '';
    return `update ${qualified(flag.table)} t set ${ident(flag.column)} = (${holds})${from} where ${where}${column} is distinct from (${holds})`;
  }

  /** As a foreign key with match simple: a null refers to nothing. */
  #holds({ refers, columns, referred }: ForeignKey): string {
    const table = this.#tables.find((one) => nameOf(one) === refers);
    const equal = columns.map((name, at) => `r.${ident(referred[at] ?? '')} = t.${ident(name)}`);
    const soft =
      table?.deletes.rule === 'soft' ? ` and r.${ident(table.deletes.column)} is not true` : '';
    const nulls = columns.map((name) => `t.${ident(name)} is null`);
    const target = table ? qualified(table) : '';
    return `(${nulls.join(' or ')} or exists (select from ${target} r where ${equal.join(' and ')}${soft}))`;
  }

  #deletesHard(name: string): boolean {
    return this.#tables.find((one) => nameOf(one) === name)?.deletes.rule !== 'soft';
  }

  async #load(): Promise<readonly Flag[]> {
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
    const keys = rows as ForeignKey[];
    return this.#tables.flatMap((table) => flagsOf(table, keys));
  }
}

function flagsOf(table: ReplicatedTable, keys: readonly ForeignKey[]): readonly Flag[] {
  const own = keys.filter((key) => key.table === nameOf(table));
  const byColumn = Map.groupBy(own, (key) => {
    const rule = table.orphansByForeignKey.get(key.name) ?? table.orphans;
    return rule.rule === 'deactivate' ? rule.column : null;
  });
  return [...byColumn].flatMap(([column, some]) =>
    column === null ? [] : [{ table, column, keys: some }],
  );
}

function rulesOf({ orphans, orphansByForeignKey }: ReplicatedTable): ReplicatedTable['orphans'][] {
  return [orphans, ...orphansByForeignKey.values()];
}

function nameOf({ schema, name }: ReplicatedTable): string {
  return `${schema}.${name}`;
}

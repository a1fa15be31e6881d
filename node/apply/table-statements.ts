/** A table's collapsed changes as statements with their parameters, and what the answer of each must be. Pure. */
import type { Tuple } from '../pgoutput/tuple.ts';
import { bind, type Form, params } from './binding.ts';
import type { KeyedRow, UpdatedRow } from './collapse.ts';
import type { Layout, MappedColumn } from './layout.ts';
import {
  type Counting,
  deleteSql,
  foreignSql,
  insertSql,
  standingSql,
  updateSql,
  upsertSql,
} from './statements.ts';

export interface Statement {
  readonly expect: 'delete' | 'passing' | 'update' | 'insert' | 'put_insert' | 'put_update' | 'any';
  readonly layout: Layout;
  /** Rows in the set. */
  readonly count: number;
  readonly text: string;
  readonly values: readonly unknown[];
  /** Finds the origins of the rows a delete left here. */
  readonly foreign?: { readonly text: string; readonly values: readonly unknown[] };
}

/** The statements of one table, all in one form. */
export class TableStatements {
  readonly #layout: Layout;
  readonly #form: Form;
  readonly #origins: Buffer;
  readonly #counting: Counting;

  constructor(
    layout: Layout,
    form: Form,
    { origins, counting = 'plain' }: { readonly origins: Buffer; readonly counting?: Counting },
  ) {
    this.#layout = layout;
    this.#form = form;
    this.#origins = origins;
    this.#counting = counting;
  }

  remove(expect: 'delete' | 'passing', rows: readonly KeyedRow[]): Statement {
    const layout = this.#layout;
    const key = params(layout.key, this.#form);
    const values = [...bind(key, tuples(rows), layout.table), this.#origins];
    return {
      expect,
      layout,
      count: rows.length,
      text: deleteSql(layout, key, this.#counting),
      values,
      foreign: { text: foreignSql(layout, key), values },
    };
  }

  update(group: UpdateGroup): Statement {
    const layout = this.#layout;
    const key = params(layout.key, this.#form);
    const columns = params(group.columns, this.#form);
    return {
      expect: 'update',
      layout,
      count: group.rows.length,
      text: updateSql(layout, { key, values: columns }, this.#counting),
      values: [
        ...bind(
          key,
          group.rows.map((row) => row.old),
          layout.table,
        ),
        ...bind(columns, tuples(group.rows), layout.table),
        this.#origins,
      ],
    };
  }

  insert(rows: readonly KeyedRow[]): Statement {
    const columns = params(this.#layout.columns, this.#form);
    return {
      expect: 'insert',
      layout: this.#layout,
      count: rows.length,
      text: insertSql(this.#layout, columns, this.#counting),
      values: this.#row(columns, rows),
    };
  }

  put(expect: 'put_insert' | 'put_update', rows: readonly KeyedRow[]): Statement {
    const columns = params(this.#layout.columns, this.#form);
    return {
      expect,
      layout: this.#layout,
      count: rows.length,
      text: upsertSql(this.#layout, columns, this.#counting),
      values: [...this.#row(columns, rows), this.#origins],
    };
  }

  /** Which of the rows stand here, by the key they have here, and under what origin. */
  standing(rows: readonly KeyedRow[]): Pick<Statement, 'text' | 'values'> {
    const key = params(this.#layout.key, this.#form);
    const values = bind(key, rows.map(standingTuple), this.#layout.table);
    return { text: standingSql(this.#layout, key), values };
  }

  #row(columns: ReturnType<typeof params>, rows: readonly KeyedRow[]): unknown[] {
    const { origin, table } = this.#layout;
    const arrays = bind(columns, tuples(rows), table);
    return origin.kind === 'stamped' ? [...arrays, origin.name] : [...arrays];
  }
}

export interface UpdateGroup {
  readonly columns: readonly MappedColumn[];
  /** Every stored column has a value. */
  readonly whole: boolean;
  readonly keyChanged: boolean;
  readonly rows: UpdatedRow[];
}

/** Updates that set the same columns go together; the key is set only where it changes. */
export function groupByColumns(
  updates: readonly UpdatedRow[],
  layout: Layout,
): readonly UpdateGroup[] {
  const groups = new Map<string, UpdateGroup>();
  for (const row of updates) {
    const present = layout.columns.filter(
      ({ index }) => !row.tuple.hasUnchanged || row.tuple.kind(index) !== 'unchanged',
    );
    const whole = present.length === layout.columns.length;
    const name = `${row.keyChanged ? 'k' : ''}${whole ? '' : present.map(({ index }) => index).join()}`;
    const group = groups.get(name);
    if (group) {
      group.rows.push(row);
    } else {
      const columns = present.filter(
        ({ index }) => row.keyChanged || !layout.keyIndexes.includes(index),
      );
      groups.set(name, { columns, whole, keyChanged: row.keyChanged, rows: [row] });
    }
  }
  return [...groups.values()];
}

/** Holds the key the row has here. */
export function standingTuple(row: KeyedRow | UpdatedRow): Tuple {
  return 'old' in row ? row.old : row.tuple;
}

function tuples(rows: readonly KeyedRow[]): readonly Tuple[] {
  return rows.map(({ tuple }) => tuple);
}

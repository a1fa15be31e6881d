/** A table's collapsed changes as statements with their parameters, and what the answer of each must be. Pure. */
import { TributaryError } from '../errors.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { bind, type Form, params } from './binding.ts';
import type { KeyedRow, UpdatedRow } from './collapse.ts';
import { encodeCopy } from './copy-codec.ts';
import { inKeyOrder, type KeyOrder } from './key-order.ts';
import type { Layout, MappedColumn } from './layout.ts';
import {
  copySql,
  type Counting,
  deleteSql,
  exactlySql,
  foreignSql,
  insertSql,
  standingSql,
  updateSql,
  upsertSql,
} from './statements.ts';
import { isText } from './type-fit.ts';

export interface Statement {
  readonly expect: 'delete' | 'passing' | 'update' | 'insert' | 'put_insert' | 'put_update' | 'any';
  readonly layout: Layout;
  /** Rows in the set. */
  readonly count: number;
  readonly text: string;
  readonly values: readonly unknown[];
  /** The rows of a COPY, in the place of values. */
  readonly copied?: Buffer;
  /** Finds the origins of the rows a delete left here. */
  readonly foreign?: { readonly text: string; readonly values: readonly unknown[] };
}

export interface StatementOptions {
  /** The names of the subtree as a binary text array. */
  readonly origins: Buffer;
  /** Those of them whose rows may be removed. */
  readonly removable: Buffer;
  readonly counting?: Counting;
  /** Rows come in the order of their keys. */
  readonly ordered?: boolean;
  /** Inserts and updates fail where their count would not be that of their rows. */
  readonly exact?: boolean;
}

/** The statements of one table, all in one form. Rows go in the order of their keys, unless they are counted. */
export class TableStatements {
  readonly #layout: Layout;
  readonly #form: Form;
  readonly #origins: Buffer;
  readonly #removable: Buffer;
  readonly #counting: Counting;
  readonly #ordered: boolean;
  readonly #exact: boolean;

  constructor(
    layout: Layout,
    form: Form,
    { origins, removable, counting = 'plain', ordered = false, exact = false }: StatementOptions,
  ) {
    this.#layout = layout;
    this.#form = form;
    this.#origins = origins;
    this.#removable = removable;
    this.#counting = counting;
    this.#ordered = ordered;
    this.#exact = exact;
  }

  remove(expect: 'delete' | 'passing', rows: readonly KeyedRow[]): Statement {
    const layout = this.#layout;
    const key = params(layout.key, this.#form);
    const values = [...bind(key, this.#sorted(tuples(rows)), layout.table), this.#removable];
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
    const rows = this.#counted ? group.rows : inKeyOrder(group.rows, olds(group.rows), this.#order);
    return this.#exactly({
      expect: 'update',
      layout,
      count: rows.length,
      text: updateSql(layout, { key, values: columns }, this.#counting),
      values: [
        ...bind(key, olds(rows), layout.table),
        ...bind(columns, tuples(rows), layout.table),
        this.#origins,
      ],
    });
  }

  /** Rows that are not expected to be here: by COPY where every value is in binary form. */
  insert(unsorted: readonly Tuple[]): Statement {
    const layout = this.#layout;
    const rows = this.#sorted(unsorted);
    const copied = this.#exact ? null : this.#copied(rows);
    const columns = params(layout.columns, this.#form);
    return this.#exactly({
      expect: 'insert',
      layout,
      count: rows.length,
      ...(copied
        ? { text: copySql(layout, layout.columns), values: [], copied }
        : {
            text: insertSql(layout, columns, this.#counting),
            values: this.#row(columns, rows),
          }),
    });
  }

  put(expect: 'put_insert' | 'put_update', rows: readonly KeyedRow[]): Statement {
    const columns = params(this.#layout.columns, this.#form);
    return {
      expect,
      layout: this.#layout,
      count: rows.length,
      text: upsertSql(this.#layout, columns, this.#counting),
      values: [...this.#row(columns, this.#sorted(tuples(rows))), this.#origins],
    };
  }

  /** Which of the rows stand here, by the key they have here, and under what origin. */
  standing(rows: readonly KeyedRow[]): Pick<Statement, 'text' | 'values'> {
    const key = params(this.#layout.key, this.#form);
    const values = bind(key, rows.map(standingTuple), this.#layout.table);
    return { text: standingSql(this.#layout, key), values };
  }

  #exactly(set: Statement): Statement {
    const { count, text, values } = set;
    return this.#exact
      ? {
          ...set,
          expect: 'any',
          text: exactlySql(text, values.length),
          values: [...values, count],
        }
      : set;
  }

  /** A counted row is known by its place. */
  get #counted(): boolean {
    return this.#counting !== 'plain';
  }

  get #order(): KeyOrder {
    return { columns: this.#layout.keyIndexes, form: this.#form };
  }

  #sorted(rows: readonly Tuple[]): readonly Tuple[] {
    return this.#counted || this.#ordered ? rows : inKeyOrder(rows, rows, this.#order);
  }

  /** Null where the rows can not go in by COPY. Of a text type the bytes of a name are its binary form, too. */
  #copied(rows: readonly Tuple[]): Buffer | null {
    const { columns, flags, origin, table } = this.#layout;
    const named = origin.kind === 'sent' || isText(origin.column.typeOid);
    const flagged = flags.soft !== null || flags.active.length > 0;
    if (this.#form !== 'binary' || this.#counted || flagged || !named) {
      return null;
    }
    const copied = encodeCopy(rows, {
      columns: columns.map(({ index }) => index),
      constant: origin.kind === 'stamped' ? Buffer.from(origin.name) : null,
    });
    if (!copied) {
      throw new TributaryError('text_needed', { table });
    }
    return copied;
  }

  #row(columns: ReturnType<typeof params>, rows: readonly Tuple[]): unknown[] {
    const { origin, table } = this.#layout;
    const arrays = bind(columns, rows, table);
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
    // Most rows are whole: nothing is asked of their columns.
    const present = row.tuple.hasUnchanged
      ? layout.columns.filter(({ index }) => row.tuple.kind(index) !== 'unchanged')
      : layout.columns;
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

function olds(rows: readonly UpdatedRow[]): readonly Tuple[] {
  return rows.map(({ old }) => old);
}

function tuples(rows: readonly KeyedRow[]): readonly Tuple[] {
  return rows.map(({ tuple }) => tuple);
}

/**
 * The parked keys of a stream as the bytes its values come in, so that a change of one is recognised without asking the
 * database. While nothing is parked nothing is looked up.
 */
import { ident } from '../database/ident.ts';
import { type NewParked, tableText } from '../parking/parked-key.ts';
import type { ParkedView, ViewedKey } from '../parking/parked-view.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Transaction } from '../pgoutput/part.ts';
import { type Form, formOf } from './binding.ts';
import type { Layout } from './layout.ts';
import { oldKeyTuple, rowKeyOf } from './row-key.ts';
import type { Query } from './session.ts';

interface Table {
  readonly version: number;
  readonly form: Form;
  readonly keys: ReadonlyMap<string, ViewedKey>;
}

export class KnownKeys {
  readonly #view: ParkedView;
  readonly #query: Query;
  readonly #tables = new Map<string, Table>();
  /** Keys this very part is applied without, by table. */
  #extra = new Map<string, readonly NewParked[]>();
  #extraCount = 0;

  constructor(view: ParkedView, query: Query) {
    this.#view = view;
    this.#query = query;
  }

  get quiet(): boolean {
    return this.#view.quiet && this.#extraCount === 0;
  }

  /** The part is applied without these keys too. */
  without(extra: readonly NewParked[]): void {
    if (extra.length !== this.#extraCount) {
      this.#extra = Map.groupBy(extra, ({ table }) => tableText(table));
      this.#extraCount = extra.length;
      this.#tables.clear();
    }
  }

  isBlocked(table: string): boolean {
    return this.#view.isBlocked(table);
  }

  /** Whether changes of this key are left out. `key` as by rowKey. */
  has(table: string, key: string): boolean {
    const known = this.#tables.get(table)?.keys.get(key);
    if (known) {
      known.leftOut += 1;
    }
    return known !== undefined;
  }

  /** Looks up the keys of the tables the transactions are about, in the form they come in. */
  async prepare(
    transactions: readonly Transaction[],
    layoutOf: (relation: Relation) => Layout | null,
  ): Promise<void> {
    if (this.quiet) {
      return;
    }
    let last: Relation | null = null;
    for (const { changes } of transactions) {
      for (const step of changes) {
        if (step.kind === 'message' || step.kind === 'truncate' || step.relation === last) {
          continue;
        }
        last = step.relation;
        const layout = layoutOf(step.relation);
        if (layout) {
          await this.#look(layout, formOf(layout, oldKeyTuple(step)));
        }
      }
    }
  }

  async #look(layout: Layout, form: Form): Promise<void> {
    const { table } = layout;
    const known = this.#tables.get(table);
    if (known?.version === this.#view.version && known.form === form) {
      return;
    }
    const keys = [...this.#view.keysOf(table).values(), ...this.#extraOf(table)];
    const bytes = form === 'text' ? keys.map(asText) : await this.#asBinary(layout, keys);
    this.#tables.set(table, {
      version: this.#view.version,
      form,
      keys: new Map(keys.map((key, index) => [rowKeyOf(bytes[index] ?? []), key])),
    });
  }

  #extraOf(table: string): readonly ViewedKey[] {
    return (this.#extra.get(table) ?? []).map(({ key, origin, reason }) => ({
      key,
      origin,
      reason,
      leftOut: 0,
    }));
  }

  /** The binary form is what the type's send function makes. */
  async #asBinary(
    { key: columns }: Layout,
    keys: readonly ViewedKey[],
  ): Promise<readonly (readonly Buffer[])[]> {
    if (keys.length === 0) {
      return [];
    }
    const { rows: types } = await this.#query(
      `select n.nspname as schema, p.proname as name from unnest($1::oid[]) with ordinality t(oid, n)
       join pg_catalog.pg_type y on y.oid = t.oid join pg_catalog.pg_proc p on p.oid = y.typsend
       join pg_catalog.pg_namespace n on n.oid = p.pronamespace order by t.n`,
      [columns.map(({ column }) => column.typeOid)],
    );
    const sends = (types as { schema: string; name: string }[]).map(
      ({ schema, name }) => `${ident(schema)}.${ident(name)}`,
    );
    const list = columns.map(
      ({ column }, index) => `encode(${sends[index]}((k.key ->> ${index})::${column.type}), 'hex')`,
    );
    const { rows } = await this.#query(
      `select array[${list.join(', ')}] as bytes from jsonb_array_elements($1::jsonb) with ordinality k(key, n) order by k.n`,
      [JSON.stringify(keys.map(({ key }) => key))],
    );
    return (rows as { bytes: string[] }[]).map(({ bytes }) =>
      bytes.map((hex) => Buffer.from(hex, 'hex')),
    );
  }
}

function asText({ key }: ViewedKey): readonly Buffer[] {
  return key.map((text) => Buffer.from(text));
}

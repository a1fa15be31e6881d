/** Refused rows as what is noted of them: the key's columns as texts, and the origin. */
import { ident } from '../database/ident.ts';
import type { NewParked } from '../parking/parked-key.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { bind, formOf, params } from './binding.ts';
import { originOfTuple, type Layout } from './layout.ts';
import type { Refused } from './part-parking.ts';
import type { Query } from './session.ts';

export async function parkedOf(
  refused: readonly Refused[],
  query: Query,
): Promise<readonly NewParked[]> {
  const all: NewParked[] = [];
  for (const [layout, rows] of Map.groupBy(refused, (each) => each.layout)) {
    const keys = await keyTexts(
      layout,
      rows.map(({ tuple }) => tuple),
      query,
    );
    rows.forEach(({ cause, tuple, waitsFor }, index) => {
      const { schema, name } = layout.target;
      const origin = originOfTuple(layout, tuple);
      const key = keys[index] ?? [];
      all.push({ table: { schema, name }, key, origin, waitsFor, ...cause });
    });
  }
  return all;
}

/** What came as text is its text; what came in binary form is told by the type's output function. */
export async function keyTexts(
  layout: Layout,
  tuples: readonly Tuple[],
  query: Query,
): Promise<readonly (readonly string[])[]> {
  const [first] = tuples;
  if (!first) {
    return [];
  }
  const form = formOf(layout, first);
  if (form === 'text') {
    return tuples.map((tuple) =>
      layout.keyIndexes.map((index) => tuple.value(index)?.toString('utf8') ?? ''),
    );
  }
  const key = params(layout.key, form);
  const arrays = key.map(({ column }, index) => `$${index + 1}::${column.type}[]`);
  const names = key.map(({ column }) => ident(column.name));
  const { rows } = await query(
    `select array[${names.map((name) => `concat(s.${name})`).join(', ')}] as key from unnest(${arrays.join(', ')}) with ordinality s(${names.join(', ')}, "ordinality of the key") order by "ordinality of the key"`,
    bind(key, tuples, layout.table),
  );
  return (rows as { key: string[] }[]).map((row) => row.key);
}

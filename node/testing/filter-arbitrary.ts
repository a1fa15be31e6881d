/** Random filter expressions for property tests, in the one form the parser gives them: no list within its own kind. */
import fc from 'fast-check';
import type { FilterExpression, FilterOperand } from '../config/model.ts';

const names = ['a', 'b', 'status', 'User', 'select', 'with space', 'qu"ote', 'time', 'é'] as const;

export function filterExpression(
  columns: readonly string[] = names,
): fc.Arbitrary<FilterExpression> {
  return fc.letrec<{ any: FilterExpression }>((tie) => {
    const leaf = fc.oneof(columnOf(columns), compare(columns), within(columns), isNull(columns));
    const operands = fc.array(tie('any'), { minLength: 2, maxLength: 3 });
    return {
      any: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        operands.map((list) => flat('and', list)),
        operands.map((list) => flat('or', list)),
        tie('any').map((operand) => ({ kind: 'not', operand }) as const),
      ),
    };
  }).any;
}

function flat(kind: 'and' | 'or', list: readonly FilterExpression[]): FilterExpression {
  const operands = list.flatMap((operand) =>
    operand.kind === kind ? operand.operands : [operand],
  );
  return { kind, operands };
}

function columnOf(columns: readonly string[]): fc.Arbitrary<{ kind: 'column'; column: string }> {
  return fc.constantFrom(...columns).map((column) => ({ kind: 'column', column }));
}

function operand(columns: readonly string[]): fc.Arbitrary<FilterOperand> {
  return fc.oneof(
    columnOf(columns),
    fc
      .oneof(
        fc.constantFrom('true', 'false', '1', '-2', '3.5', '1e5', "'it''s'", "''"),
        fc.string().map((text) => `'${text.replaceAll('\0', '').replaceAll("'", "''")}'`),
      )
      .map((sql) => ({ kind: 'constant', sql }) as const),
  );
}

function compare(columns: readonly string[]): fc.Arbitrary<FilterExpression> {
  return fc.record(
    {
      kind: fc.constant('compare' as const),
      operator: fc.constantFrom('=', '<>', '<', '>', '<=', '>='),
      left: columnOf(columns),
      right: operand(columns),
    },
    { noNullPrototype: true },
  );
}

function within(columns: readonly string[]): fc.Arbitrary<FilterExpression> {
  return fc.record(
    {
      kind: fc.constant('in' as const),
      left: columnOf(columns),
      list: fc.array(operand(columns), { minLength: 1, maxLength: 3 }),
      negated: fc.boolean(),
    },
    { noNullPrototype: true },
  );
}

function isNull(columns: readonly string[]): fc.Arbitrary<FilterExpression> {
  return fc.record(
    {
      kind: fc.constant('null' as const),
      operand: columnOf(columns),
      negated: fc.boolean(),
    },
    { noNullPrototype: true },
  );
}

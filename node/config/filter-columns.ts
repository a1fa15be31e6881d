/** Which columns a filter reads, and which of them it compares with each other. */
import type { FilterExpression, FilterOperand } from './model.ts';

/** The columns an expression reads, each once, in the order of their first mention. */
export function filterColumns(expression: FilterExpression): readonly string[] {
  return [...new Set(columnsOf(expression))];
}

/**
 * Pairs of columns compared with each other. Such a comparison can raise in the walsender, for ever, although PostgreSQL
 * accepts the publication (seen on 15 to 18): numeric with double precision out of its range, texts of two collations.
 * It is safe only if both columns have the same type and collation, which the database alone can tell.
 */
export function comparedColumns(
  expression: FilterExpression,
): readonly (readonly [string, string])[] {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.operands.flatMap(comparedColumns);
    case 'not':
      return comparedColumns(expression.operand);
    case 'compare':
      return pairs(expression.left, [expression.right]);
    case 'in':
      return pairs(expression.left, expression.list);
    case 'column':
    case 'null':
      return [];
  }
}

function pairs(
  left: FilterOperand,
  list: readonly FilterOperand[],
): readonly (readonly [string, string])[] {
  return list.flatMap((right) =>
    left.kind === 'column' && right.kind === 'column' ? [[left.column, right.column] as const] : [],
  );
}

function columnsOf(part: FilterExpression | FilterOperand): readonly string[] {
  switch (part.kind) {
    case 'column':
      return [part.column];
    case 'constant':
      return [];
    case 'and':
    case 'or':
      return part.operands.flatMap(columnsOf);
    case 'not':
    case 'null':
      return columnsOf(part.operand);
    case 'compare':
      return [...columnsOf(part.left), ...columnsOf(part.right)];
    case 'in':
      return [...columnsOf(part.left), ...part.list.flatMap(columnsOf)];
  }
}

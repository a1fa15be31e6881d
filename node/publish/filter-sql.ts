/** A row filter written over another row variable, as a trigger's WHEN needs it: old.status instead of status. */
import type { FilterExpression, FilterOperand } from '../config/model.ts';
import { ident } from '../database/ident.ts';

export function filterOver(row: 'old' | 'new', expression: FilterExpression): string {
  const operand = (one: FilterOperand): string =>
    one.kind === 'column' ? `${row}.${ident(one.column)}` : one.sql;
  switch (expression.kind) {
    case 'and':
    case 'or':
      return `(${expression.operands.map((one) => filterOver(row, one)).join(` ${expression.kind} `)})`;
    case 'not':
      return `(not ${filterOver(row, expression.operand)})`;
    case 'column':
      return `${row}.${ident(expression.column)}`;
    case 'compare':
      return `(${operand(expression.left)} ${expression.operator} ${operand(expression.right)})`;
    case 'in': {
      const list = expression.list.map(operand).join(', ');
      return `(${operand(expression.left)} ${expression.negated ? 'not in' : 'in'} (${list}))`;
    }
    case 'null':
      return `(${operand(expression.operand)} is ${expression.negated ? 'not null' : 'null'})`;
    default:
      throw new Error(`no such filter: ${JSON.stringify(expression satisfies never)}`);
  }
}

/** A filter's expression as PostgreSQL's text: names quoted only if needed, parentheses wherever they help a reader. */
import type { FilterExpression, FilterOperand } from './model.ts';
import { columnNameWords, reservedWords } from './sql-keyword.ts';

export function filterText(expression: FilterExpression): string {
  switch (expression.kind) {
    case 'and':
      return expression.operands.map((operand) => inside(operand, ['or'])).join(' and ');
    case 'or':
      return expression.operands.map((operand) => inside(operand, ['and'])).join(' or ');
    case 'not':
      return expression.operand.kind === 'column'
        ? `not ${filterText(expression.operand)}`
        : `not (${filterText(expression.operand)})`;
    case 'column':
      return columnText(expression.column);
    case 'compare':
      return `${operandText(expression.left)} ${expression.operator} ${operandText(expression.right)}`;
    case 'in': {
      const list = expression.list.map(operandText).join(', ');
      return `${operandText(expression.left)} ${expression.negated ? 'not in' : 'in'} (${list})`;
    }
    case 'null':
      return `${operandText(expression.operand)} is ${expression.negated ? 'not null' : 'null'}`;
  }
}

/** The name as SQL needs it: quoted unless it is lower-case and no keyword. */
export function columnText(name: string): string {
  const plain = /^[a-z_][a-z0-9_]*$/.test(name);
  return plain && !reservedWords.has(name) && !columnNameWords.has(name)
    ? name
    : `"${name.replaceAll('"', '""')}"`;
}

function inside(operand: FilterExpression, parenthesised: readonly string[]): string {
  const text = filterText(operand);
  return parenthesised.includes(operand.kind) ? `(${text})` : text;
}

function operandText(operand: FilterOperand): string {
  return operand.kind === 'column' ? columnText(operand.column) : operand.sql;
}

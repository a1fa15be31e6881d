/**
 * Row filters: a recursive-descent parser for the few expressions that can not raise an error. A walsender that fails in
 * a filter stops for ever, so arithmetic, functions, casts and patterns are refused, each with what to write instead.
 * Precedence as in PostgreSQL: or, and, not, then comparisons.
 */
import { filterColumns } from './filter-columns.ts';
import { filterText } from './filter-text.ts';
import { FilterRefused, filterTokens } from './filter-token.ts';
import type { FilterToken } from './filter-token.ts';
import { refusal } from './filter-refusal.ts';
import type { Filter, FilterExpression, FilterOperand } from './model.ts';
import { reservedWords } from './sql-keyword.ts';

type Comparison = Extract<FilterExpression, { kind: 'compare' }>['operator'];

const comparisons: ReadonlySet<string> = new Set<Comparison>(['=', '<>', '<', '>', '<=', '>=']);

/** Far more than a person nests, far less than the stack of a parser holds. */
const deepest = 50;

/** @throws FilterRefused, with the place in the text and what to write. */
export function parseFilter(text: string): Filter {
  if (text.includes('\0')) {
    throw new FilterRefused(text.indexOf('\0') + 1, 'holds a zero byte', 'remove it');
  }
  const expression = new FilterParser(filterTokens(text)).whole();
  const columns = filterColumns(expression);
  if (columns.length === 0) {
    throw new FilterRefused(1, 'reads no column', 'leave `approved` out if every row travels');
  }
  return { sql: filterText(expression), columns, expression };
}

class FilterParser {
  readonly #tokens: readonly FilterToken[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly FilterToken[]) {
    this.#tokens = tokens;
  }

  whole(): FilterExpression {
    const expression = this.#or();
    if (this.#peek().kind !== 'end') {
      throw refusal(this.#peek());
    }
    return expression;
  }

  #or(): FilterExpression {
    const operands = [this.#and()];
    while (this.#takeWord('or')) {
      operands.push(this.#and());
    }
    return joined('or', operands);
  }

  #and(): FilterExpression {
    const operands = [this.#not()];
    while (this.#takeWord('and')) {
      operands.push(this.#not());
    }
    return joined('and', operands);
  }

  #not(): FilterExpression {
    return this.#takeWord('not')
      ? { kind: 'not', operand: this.#deeper(() => this.#not()) }
      : this.#predicate();
  }

  #predicate(): FilterExpression {
    const { at } = this.#peek();
    if (this.#takeSymbol('(')) {
      const inner = this.#deeper(() => this.#or());
      this.#expectSymbol(')');
      if (!this.#atTail()) {
        return inner;
      }
      if (inner.kind !== 'column') {
        throw new FilterRefused(at, 'compares a condition', 'join conditions with and, or, not');
      }
      return this.#tail(inner, at);
    }
    return this.#tail(this.#operand(), at);
  }

  /** What follows the first operand of a predicate. */
  #tail(left: FilterOperand, at: number): FilterExpression {
    const operator = this.#takeComparison();
    if (operator !== null) {
      const expression = { kind: 'compare', operator, left, right: this.#operand() } as const;
      this.#endOfPredicate();
      return expression;
    }
    if (this.#takeWord('is')) {
      return this.#isNull(left);
    }
    const negated = this.#peekWord('not') && this.#takeWord('not');
    if (this.#takeWord('in')) {
      return this.#in(left, negated);
    }
    if (negated) {
      throw refusal(this.#peek());
    }
    if (left.kind === 'constant') {
      throw new FilterRefused(at, 'a constant alone is no condition', 'compare it with a column');
    }
    return left;
  }

  #isNull(operand: FilterOperand): FilterExpression {
    const negated = this.#takeWord('not');
    const token = this.#peek();
    if (!this.#takeWord('null')) {
      throw new FilterRefused(
        token.at,
        'has `is` before something else than null',
        'write `is null`, `is not null`, or the boolean column alone',
      );
    }
    this.#endOfPredicate();
    return { kind: 'null', operand, negated };
  }

  #in(left: FilterOperand, negated: boolean): FilterExpression {
    this.#expectSymbol('(');
    const list = [this.#operand()];
    while (this.#takeSymbol(',')) {
      list.push(this.#operand());
    }
    this.#expectSymbol(')');
    this.#endOfPredicate();
    return { kind: 'in', left, list, negated };
  }

  #operand(): FilterOperand {
    const token = this.#peek();
    this.#next += 1;
    switch (token.kind) {
      case 'quoted':
        return this.#column(token.text, token.at);
      case 'constant':
        return { kind: 'constant', sql: token.sql };
      case 'word':
        if (token.text === 'true' || token.text === 'false') {
          return { kind: 'constant', sql: token.text };
        }
        if (reservedWords.has(token.text)) {
          throw refusal(token);
        }
        return this.#column(token.text, token.at);
      case 'symbol':
        return token.text === '-' ? this.#negative(token) : fail(token);
      case 'end':
        return fail(token);
    }
  }

  #column(column: string, at: number): FilterOperand {
    if (systemColumns.has(column) || Buffer.byteLength(column) > 63) {
      throw new FilterRefused(
        at,
        `${column.slice(0, 40)} is no column a filter can read`,
        "write one of the table's own columns",
      );
    }
    return { kind: 'column', column };
  }

  #negative(minus: FilterToken): FilterOperand {
    const token = this.#peek();
    if (token.kind !== 'constant' || token.sql.startsWith("'")) {
      throw refusal(minus);
    }
    this.#next += 1;
    return { kind: 'constant', sql: `-${token.sql}` };
  }

  /** Comparisons do not chain: `a = b = c` and `a = 1 is null` are refused. */
  #endOfPredicate(): void {
    if (this.#atTail()) {
      throw new FilterRefused(
        this.#peek().at,
        'compares a condition',
        'join two conditions with and',
      );
    }
  }

  #atTail(): boolean {
    const token = this.#peek();
    return token.kind === 'symbol'
      ? comparisons.has(token.text)
      : token.kind === 'word' && ['is', 'in', 'not'].includes(token.text);
  }

  #deeper(parse: () => FilterExpression): FilterExpression {
    this.#depth += 1;
    if (this.#depth > deepest) {
      const instead = 'write fewer parentheses';
      throw new FilterRefused(this.#peek().at, `is nested deeper than ${deepest}`, instead);
    }
    const expression = parse();
    this.#depth -= 1;
    return expression;
  }

  #takeComparison(): Comparison | null {
    const token = this.#peek();
    if (token.kind !== 'symbol' || !comparisons.has(token.text)) {
      return null;
    }
    this.#next += 1;
    return token.text as Comparison;
  }

  #takeWord(word: string): boolean {
    const taken = this.#peekWord(word);
    this.#next += taken ? 1 : 0;
    return taken;
  }

  #peekWord(word: string): boolean {
    const token = this.#peek();
    return token.kind === 'word' && token.text === word;
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#peek();
    const taken = token.kind === 'symbol' && token.text === symbol;
    this.#next += taken ? 1 : 0;
    return taken;
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) {
      throw refusal(this.#peek(), symbol);
    }
  }

  #peek(): FilterToken {
    return this.#tokens[this.#next] ?? { kind: 'end', at: 1 };
  }
}

const systemColumns: ReadonlySet<string> = new Set([
  'tableoid',
  'ctid',
  'xmin',
  'xmax',
  'cmin',
  'cmax',
]);

function fail(token: FilterToken): never {
  throw refusal(token);
}

/** Nested operands of the same kind are one list, so that every filter has one form. */
function joined(kind: 'and' | 'or', operands: readonly FilterExpression[]): FilterExpression {
  const [only] = operands;
  if (only !== undefined && operands.length === 1) {
    return only;
  }
  return {
    kind,
    operands: operands.flatMap((operand) => (operand.kind === kind ? operand.operands : [operand])),
  };
}

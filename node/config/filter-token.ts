/** The words of a row filter, cut as PostgreSQL's scanner would cut them; whatever no filter needs is refused here. */

export type FilterToken =
  | { readonly kind: 'word' | 'quoted'; readonly text: string; readonly at: number }
  | { readonly kind: 'constant'; readonly sql: string; readonly at: number }
  | { readonly kind: 'symbol'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly at: number };

/** A filter that is none: what is wrong, at which character (counted from 1), and what to write. */
export class FilterRefused extends Error {
  readonly at: number;
  readonly instead: string;

  constructor(at: number, problem: string, instead: string) {
    super(problem);
    this.name = 'FilterRefused';
    this.at = at;
    this.instead = instead;
  }
}

/** What can stand in a filter, tried in this order at each place. */
const scanner = new RegExp(
  [
    String.raw`(?<space>[ \t\r\n\f\v]+)`,
    String.raw`(?<comment>--|/\*)`,
    String.raw`(?<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)`,
    String.raw`(?<word>[\p{L}_][\p{L}\p{M}\p{N}_$]*)`,
    String.raw`"(?<quoted>(?:[^"]|"")+)"`,
    String.raw`'(?<string>(?:[^']|'')*)'`,
    String.raw`(?<symbol><>|<=|>=|::|!=|[=<>(),.\-])`,
    String.raw`(?<unknown>[^])`,
  ].join('|'),
  'guy',
);

/** @throws FilterRefused. The list ends with an `end`. */
export function filterTokens(text: string): readonly FilterToken[] {
  const tokens: FilterToken[] = [];
  for (const match of text.matchAll(scanner)) {
    const token = tokenOf(match.groups ?? {}, match.index + 1);
    const previous = tokens.at(-1);
    if (token !== null) {
      refuseGlued(text, token, previous);
      tokens.push(token);
    }
  }
  tokens.push({ kind: 'end', at: text.length + 1 });
  return tokens;
}

function tokenOf(
  groups: Readonly<Record<string, string | undefined>>,
  at: number,
): FilterToken | null {
  const { space, comment, number, word, quoted, string, symbol, unknown } = groups;
  if (comment !== undefined) {
    throw new FilterRefused(at, 'holds a comment', 'write it after # at the end of the YAML line');
  }
  if (number !== undefined) {
    refuseBeyondDouble(number, at);
    return { kind: 'constant', sql: number.toLowerCase(), at };
  }
  if (word !== undefined) {
    return { kind: 'word', text: lowerAscii(word), at };
  }
  if (quoted !== undefined) {
    return { kind: 'quoted', text: quoted.replaceAll('""', '"'), at };
  }
  if (string !== undefined) {
    return { kind: 'constant', sql: `'${string}'`, at };
  }
  if (symbol !== undefined) {
    return { kind: 'symbol', text: symbol, at };
  }
  if (space !== undefined) {
    return null;
  }
  throw unknownCharacter(unknown ?? '', at);
}

/**
 * Compared with a double precision column, a number beyond that type's range raises in the walsender, not when the
 * publication is made (seen on 15 to 18 with 1e400 and 1e-400).
 */
function refuseBeyondDouble(number: string, at: number): void {
  const value = Number(number);
  const [digits = ''] = number.split(/[eE]/);
  if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(digits))) {
    throw new FilterRefused(
      at,
      'has a number beyond the range of double precision',
      'write a number whose size is between 1e-300 and 1e300',
    );
  }
}

function unknownCharacter(character: string, at: number): FilterRefused {
  if (character === "'" || character === '"') {
    const what = character === "'" ? 'a text' : 'a quoted name';
    return new FilterRefused(at, `${what} is not closed`, `write ${character} at its end`);
  }
  if (/[‘’“”`´]/u.test(character)) {
    const instead = `write a text in plain quotes: 'text'`;
    return new FilterRefused(at, `holds the typographic quote ${character}`, instead);
  }
  return new FilterRefused(
    at,
    `holds ${JSON.stringify(character)}, which no row filter can have`,
    'write only columns, constants, =, <>, <, >, <=, >=, in, is [not] null, and, or, not',
  );
}

/** `1abc`, `E'x'`, `U&'x'`, `'a' 'b'`: PostgreSQL gives them meanings of their own, or none. */
function refuseGlued(text: string, token: FilterToken, previous: FilterToken | undefined): void {
  const glued = token.at > 1 && !/\s/.test(text[token.at - 2] ?? ' ');
  const name = (t: FilterToken | undefined): boolean => t?.kind === 'word' || t?.kind === 'quoted';
  const constant = (t: FilterToken | undefined): boolean => t?.kind === 'constant';
  if (glued && (name(previous) || constant(previous)) && (name(token) || constant(token))) {
    throw new FilterRefused(
      token.at,
      'two words stand together without a space',
      "write a constant as 42 or as 'text', without a letter before or after it",
    );
  }
}

/** PostgreSQL folds the letters A to Z of an unquoted name, and in UTF-8 no others. */
function lowerAscii(word: string): string {
  return word.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Identifiers and literals in SQL text: the only place that quotes. */
import pg from 'pg';

export function ident(name: string): string {
  return pg.escapeIdentifier(name);
}

export function qualified(table: { readonly schema: string; readonly name: string }): string {
  return `${ident(table.schema)}.${ident(table.name)}`;
}

export function literal(text: string): string {
  return pg.escapeLiteral(text);
}

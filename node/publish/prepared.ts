/**
 * The memory of prepare, table tributary.prepared: what was asked for, how PostgreSQL told it back at that moment, and
 * what takes it away. A thing stands when the same is asked for now and PostgreSQL still tells it back the same.
 */
import { literal } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';

/** Kinds in the order in which they are taken away. */
export const kinds = ['publication', 'trigger', 'identity', 'index', 'column', 'grant'] as const;

export type Kind = (typeof kinds)[number];

export interface Remembered {
  readonly kind: Kind;
  readonly object: string;
  readonly wanted: string;
  /** SQL expression that tells the thing back; absent: not compared. */
  readonly found?: string;
  readonly undo: string;
}

/** The command that remembers; the first `undo` stays, for it leads back to what was before Tributary. */
export function remember(one: Remembered): string {
  const values = [
    literal(one.kind),
    literal(one.object),
    literal(one.wanted),
    one.found === undefined ? 'null' : `(${one.found})`,
    literal(one.undo),
  ];
  return `insert into tributary.prepared (kind, object, wanted, found, undo)
values (${values.join(', ')})
on conflict (kind, object) do update set wanted = excluded.wanted, found = excluded.found, at = now()`;
}

export function forget(kind: string, object: string): string {
  return `delete from tributary.prepared where kind = ${literal(kind)} and object = ${literal(object)}`;
}

/** What of the memory a wanted thing is compared with. */
export interface Standing {
  readonly kind: Kind;
  readonly object: string;
  readonly wanted: string;
  /** As PostgreSQL tells it back now; null: not there. */
  readonly current: string | null;
}

export function stands(facts: Facts, one: Standing): boolean {
  const row = facts.prepared.get(`${one.kind} ${one.object}`);
  return one.current !== null && row?.wanted === one.wanted && row.found === one.current;
}

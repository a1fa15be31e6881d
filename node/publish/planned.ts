/** A piece of a plan: what is to be run, and what of the memory of prepare is wanted and therefore stays. */
import type { Kind } from './prepared.ts';
import type { Statement } from './statement.ts';

export interface Planned {
  readonly statements: readonly Statement[];
  /** Keys made by `keep`. */
  readonly keeps: readonly string[];
}

/** Of a grant the object it is for, since one object may have several. */
export function keep(kind: Kind, object: string): string {
  return `${kind} ${object}`;
}

export function join(parts: readonly Planned[]): Planned {
  return {
    statements: parts.flatMap((part) => part.statements),
    keeps: parts.flatMap((part) => part.keeps),
  };
}

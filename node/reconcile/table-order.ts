/** In which order tables are made equal: referenced ones first, and among those that may be next the smallest. Pure. */

export interface OrderedTable {
  readonly name: string;
  readonly estimated: number;
  /** Names of the tables its foreign keys refer to. */
  readonly refersTo: readonly string[];
}

export function inOrder<T extends OrderedTable>(tables: readonly T[]): readonly T[] {
  const left = [...tables].sort((a, b) => a.estimated - b.estimated);
  const ordered: T[] = [];
  while (left.length > 0) {
    const free = left.findIndex((table) =>
      table.refersTo.every(
        (name) => name === table.name || !left.some((other) => other.name === name),
      ),
    );
    // Tables that refer to each other in a circle have no order; the smallest begins.
    ordered.push(...left.splice(Math.max(0, free), 1));
  }
  return ordered;
}

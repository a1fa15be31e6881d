/** Something amiss that a watch over this node's own PostgreSQL found, with what mends it. Names only, no values. */
export interface Finding {
  readonly severity: 'error' | 'warning' | 'info';
  /** Stable, for scripts. */
  readonly code: string;
  /** Table, slot or setting it is about. */
  readonly object: string;
  readonly problem: string;
  readonly advice: string;
}

interface Counted {
  readonly severity: Finding['severity'];
  readonly code: string;
  readonly count: number;
}

/** How many of each code. */
export function countFindings(
  findings: readonly Pick<Finding, 'severity' | 'code'>[],
): readonly Counted[] {
  const counted = new Map<string, Counted>();
  for (const { code, severity } of findings) {
    const key = `${severity} ${code}`;
    counted.set(key, { code, severity, count: (counted.get(key)?.count ?? 0) + 1 });
  }
  return [...counted.values()];
}

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

/** Something amiss that a watch over this node's own PostgreSQL found, with what mends it. Names only, no values. */
export interface Finding {
  readonly severity: 'warning' | 'critical';
  readonly code: string;
  /** Table, slot or setting it is about. */
  readonly subject: string;
  readonly text: string;
  readonly advice: string;
}

/** The tables a verdict compares, and which of their rows have to be above the districts. */

export interface ComparedTable {
  readonly name: string;
  /** Rows of a district that have to be at every level above; null: all. */
  readonly approved: string | null;
}

export const comparedTables: readonly ComparedTable[] = [
  { name: 'facility', approved: null },
  { name: 'case_report', approved: "status = 'approved'" },
  { name: 'laboratory_result', approved: "status = 'approved'" },
  { name: 'attachment', approved: "status = 'approved'" },
];

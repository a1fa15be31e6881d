/**
 * Where PostgreSQL's own subscriber is known to do otherwise than Tributary: the whole list. A scenario that names one
 * must really differ, one that differs and names none fails, and the scenarios must be those written here.
 */
export type Allowance =
  | 'native_null_out_of_line'
  | 'native_stops'
  | 'native_truncates_siblings'
  | 'native_stores_orphans'
  | 'native_leaves_missing'
  | 'native_lets_duplicates';

export const allowances: Readonly<
  Record<Allowance, { readonly why: string; readonly scenarios: readonly string[] }>
> = {
  native_null_out_of_line: {
    why: 'an approval that does not touch an out-of-line value reaches native without it; it stores null',
    scenarios: [
      'values_left_behind: an approval that does not touch a large value, and no trigger that carries it',
    ],
  },
  native_stops: {
    why: 'native repeats the transaction that failed for ever',
    scenarios: [
      'refused_rows: rows that this database refuses, among others',
      'existing_rows: a row that is here already becomes what was sent',
    ],
  },
  native_truncates_siblings: {
    why: "native truncates the table, rows of the provider's siblings included",
    scenarios: ['siblings: a truncate leaves the rows of others'],
  },
  native_stores_orphans: {
    why: 'foreign keys are not enforced under apply, and native stores the row at once',
    scenarios: ['orphans: a row whose referenced row has not arrived'],
  },
  native_leaves_missing: {
    why: 'native skips the update of a row that is not here, for ever',
    scenarios: [
      'missing_rows: an update of a row that is missing here brings it back; a delete of one is nothing',
    ],
  },
  native_lets_duplicates: {
    why: 'deferrable constraints are not enforced under apply',
    scenarios: ['deferrable_keys: a value that stands here already under another key'],
  },
};

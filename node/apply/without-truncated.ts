/**
 * What of transactions that are applied already may be applied once more: no TRUNCATE, which would take the rows behind it,
 * and of its tables nothing that came before it.
 */
import { tableText } from '../parking/parked-key.ts';
import type { Step, Transaction } from '../pgoutput/part.ts';

export function withoutTruncated(transactions: readonly Transaction[]): readonly Transaction[] {
  const truncated = new Set<string>();
  const remains = (step: Step): boolean => {
    if (step.kind === 'truncate') {
      step.relations.forEach((relation) => truncated.add(tableText(relation)));
      return false;
    }
    return step.kind !== 'message' && !truncated.has(tableText(step.relation));
  };
  // From the end, for a TRUNCATE tells of what is before it.
  return transactions
    .toReversed()
    .map((transaction) => ({
      ...transaction,
      changes: transaction.changes.toReversed().filter(remains).toReversed(),
    }))
    .toReversed();
}

/** The provider announces each change of its publication by a message in the transaction of the change. Pure. */
import type { Step, Transaction } from '../pgoutput/part.ts';

export function changesPublication(transactions: readonly Transaction[]): boolean {
  return transactions.some(
    (transaction) => transaction.rowsOnly !== true && transaction.changes.some(isPublicationChange),
  );
}

function isPublicationChange(step: Step): boolean {
  return (
    step.kind === 'message' &&
    step.prefix === 'tributary' &&
    step.content.toString() === 'publication'
  );
}

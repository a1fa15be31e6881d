/** The provider announces each change of its publication by a message in the transaction of the change. Pure. */
import type { Transaction } from '../pgoutput/part.ts';

export function changesPublication(transactions: readonly Transaction[]): boolean {
  return transactions.some(({ changes }) =>
    changes.some(
      (step) =>
        step.kind === 'message' &&
        step.prefix === 'tributary' &&
        step.content.toString() === 'publication',
    ),
  );
}

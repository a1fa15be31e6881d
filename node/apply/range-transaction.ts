/** Rows of a range as a transaction, so that they go in by the same way as those of the stream. */
import type { Change } from '../pgoutput/change.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';

const noMessage = Buffer.alloc(0);

export function rangeTransaction(
  relation: Relation,
  kind: 'insert' | 'delete',
  { tuples, position }: { readonly tuples: readonly Tuple[]; readonly position: Lsn },
): Transaction {
  return {
    xid: 0,
    commitLsn: position,
    endLsn: position,
    commitTime: 0n,
    changes: tuples.map((tuple): Change => {
      const gone = kind === 'delete';
      return {
        kind,
        relation,
        message: noMessage,
        old: gone ? tuple : null,
        oldIsWhole: false,
        new: gone ? null : tuple,
      };
    }),
  };
}

/** Frames back into steps: how a transaction is read from the spool. */
import { decodeMessage } from './decode.ts';
import { eachFrame } from './frames.ts';
import type { Relation } from './messages.ts';
import type { Step } from './part.ts';
import { isRow, RowChange } from './row-change.ts';

/**
 * The steps of all whole frames in `bytes`, which they keep, and the length understood; Relation messages among them
 * are taken into `relations`. @throws TributaryError protocol
 */
export function readFrames(
  bytes: Buffer,
  relations: Map<number, Relation>,
): { readonly steps: readonly Step[]; readonly length: number } {
  const steps: Step[] = [];
  const length = eachFrame(bytes, (start, end) => {
    if (isRow(bytes[start])) {
      steps.push(RowChange.decode(bytes, { start, end }, relations));
      return;
    }
    const decoded = decodeMessage(bytes.subarray(start, end), relations);
    if (decoded.kind === 'relation') {
      relations.set(decoded.oid, decoded);
    } else if (decoded.kind === 'truncate' || decoded.kind === 'message') {
      steps.push(decoded);
    }
  });
  return { steps, length };
}

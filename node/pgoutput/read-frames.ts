/** Frames back into steps: how a transaction is read from memory and from the spool. */
import { decodeMessage } from './decode.ts';
import { eachFrame, type FrameRun } from './frames.ts';
import type { Relation } from './messages.ts';
import type { Step } from './part.ts';
import { isRow, type RelationMap, RowChange } from './row-change.ts';

/**
 * The steps of all whole frames of the run, whose bytes they keep; the length understood; and the relations in force
 * behind them. @param told the relations described in the frames, in their order: whoever remembers something of a relation
 * knows it by its object. Null: frames from a disk, of which nothing is known, and each row is checked once more.
 * @throws TributaryError protocol
 */
export function readFrames(
  run: FrameRun,
  before: RelationMap,
  told: Iterator<Relation> | null = null,
): {
  readonly steps: readonly Step[];
  readonly length: number;
  readonly relations: RelationMap;
} {
  const steps: Step[] = [];
  const { bytes, from } = run;
  let relations = before;
  const end = eachFrame(run, (start, frameEnd) => {
    if (isRow(bytes[start])) {
      steps.push(
        told ? RowChange.view(bytes, start, relations) : RowChange.decode(bytes, start, relations),
      );
      return;
    }
    const decoded = decodeMessage(bytes.subarray(start, frameEnd), relations);
    if (decoded.kind === 'relation') {
      const known = told?.next().value ?? decoded;
      relations = new Map(relations).set(decoded.oid, known);
    } else if (decoded.kind === 'truncate' || decoded.kind === 'message') {
      steps.push(decoded);
    }
  });
  return { steps, length: end - from, relations };
}

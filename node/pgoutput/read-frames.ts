/** Frames of a spooled transaction back into steps. */
import { eachFrame, type FrameRun } from './frames.ts';
import type { Step } from './part.ts';
import { isRow, type RelationMap } from './row-change.ts';
import { StepReader } from './step-reader.ts';

/**
 * The steps of all whole frames of the run, whose bytes they keep; the length understood; and the relations in force
 * behind them. @throws TributaryError protocol
 */
export function readFrames(
  run: FrameRun,
  before: RelationMap,
): {
  readonly steps: readonly Step[];
  readonly length: number;
  readonly relations: RelationMap;
} {
  const steps: Step[] = [];
  const { bytes, from } = run;
  const reader = new StepReader(before, null);
  const end = eachFrame(run, (start, frameEnd) => {
    const step = isRow(bytes[start])
      ? reader.row(bytes, start)
      : reader.other(bytes, start, frameEnd);
    if (step && step.kind !== 'begin' && step.kind !== 'commit') {
      steps.push(step);
    }
  });
  return { steps, length: end - from, relations: reader.relations };
}

/** Frames of one transaction after the other back into steps, under the relations in force at each. */
import { decodeMessage } from './decode.ts';
import type { Begin, Commit, Relation } from './messages.ts';
import type { Step } from './part.ts';
import { type RelationMap, RowChange } from './row-change.ts';

export class StepReader {
  #relations: RelationMap;
  readonly #told: Iterator<Relation> | null;

  /**
   * @param before the relations in force at the first frame
   * @param told the relations described in the frames, in their order: whoever remembers something of a relation knows it by
   *   its object. Null: frames from a disk, of which nothing is known, and each row is checked once more.
   */
  constructor(before: RelationMap, told: Iterator<Relation> | null) {
    this.#relations = before;
    this.#told = told;
  }

  /** Those in force behind the last frame that was read. */
  get relations(): RelationMap {
    return this.#relations;
  }

  /** The row message that begins at `start`, whose bytes the step keeps. @throws TributaryError protocol */
  row(bytes: Buffer, start: number): Step {
    return this.#told
      ? RowChange.view(bytes, start, this.#relations)
      : RowChange.decode(bytes, start, this.#relations);
  }

  /** Any other message in bytes[start, end); null: there is nothing to do for it. @throws TributaryError protocol */
  other(bytes: Buffer, start: number, end: number): Step | Begin | Commit | null {
    const decoded = decodeMessage(bytes, this.#relations, start, end);
    switch (decoded.kind) {
      case 'relation': {
        const known = this.#told?.next().value ?? decoded;
        this.#relations = new Map(this.#relations).set(decoded.oid, known);
        return null;
      }
      case 'type':
      case 'origin':
        return null;
      case 'begin':
      case 'commit':
      case 'truncate':
      case 'message':
        return decoded;
      default:
        return decoded satisfies never;
    }
  }
}

/** A tuple whose unsent out-of-line values are those of the tuple before it: the last state of a row, column by column. */
import { measureByColumn, scatterByColumn } from '../pgoutput/tuple-columns.ts';
import type { Slots, Tuple, ValueKind } from '../pgoutput/tuple.ts';

/** `newer`, with its unchanged columns taken from `older`. */
export function overlay(newer: Tuple, older: Tuple): Tuple {
  return newer.hasUnchanged ? new TupleOverlay(newer, older) : newer;
}

class TupleOverlay implements Tuple {
  readonly #sources: readonly Tuple[];
  readonly hasUnchanged: boolean;

  constructor(newer: Tuple, older: Tuple) {
    const sources: Tuple[] = [];
    let hasUnchanged = false;
    for (let column = 0; column < newer.count; column += 1) {
      const source = newer.kind(column) === 'unchanged' ? sourceOf(older, column) : newer;
      sources.push(source);
      hasUnchanged ||= source.kind(column) === 'unchanged';
    }
    this.#sources = sources;
    this.hasUnchanged = hasUnchanged;
  }

  get count(): number {
    return this.#sources.length;
  }

  kind(column: number): ValueKind {
    return this.source(column).kind(column);
  }

  value(column: number): Buffer | null {
    return this.source(column).value(column);
  }

  latin1(column: number): string {
    return this.source(column).latin1(column);
  }

  byteLength(column: number): number {
    return this.source(column).byteLength(column);
  }

  copyValue(column: number, target: Buffer, offset: number): number {
    return this.source(column).copyValue(column, target, offset);
  }

  measure(slots: Slots, form: 'text' | 'binary', sizes: Uint32Array): boolean {
    return measureByColumn(this, slots, { form, sizes });
  }

  scatter(slots: Slots, targets: readonly Buffer[], offsets: Uint32Array): void {
    scatterByColumn(this, slots, { targets, offsets });
  }

  /** The tuple that holds a column itself, so that overlays never grow into chains. */
  source(column: number): Tuple {
    const source = this.#sources[column];
    if (!source) {
      throw new RangeError(`no column ${column}`);
    }
    return source;
  }
}

function sourceOf(tuple: Tuple, column: number): Tuple {
  return tuple instanceof TupleOverlay ? tuple.source(column) : tuple;
}

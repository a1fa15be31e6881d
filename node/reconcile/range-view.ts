/**
 * A view of the provider under which a range may be read: its snapshot sees everything that was applied here before the
 * watch began. What is applied afterwards is in the watch. A view that does not is thrown away and taken again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Reader, View } from '../provider/reader.ts';
import type { Trail, Watch, WatchedTable } from './trail.ts';

const leastWaitMs = 20;
const greatestWaitMs = 2000;

export class RangeView implements AsyncDisposable {
  readonly view: View;
  readonly watch: Watch;

  private constructor(view: View, watch: Watch) {
    this.view = view;
    this.watch = watch;
  }

  /** Waits as long as it takes: a transaction may wait for a standby for minutes. @throws TributaryError provider_* */
  static async open(
    { reader, trail }: { readonly reader: Reader; readonly trail: Trail },
    table: WatchedTable,
    signal: AbortSignal,
  ): Promise<RangeView> {
    for (let waitMs = leastWaitMs; ; waitMs = Math.min(2 * waitMs, greatestWaitMs)) {
      signal.throwIfAborted();
      if (!trail.based) {
        const { era } = trail;
        trail.rebase(await reader.runningXids(), era);
      }
      const watch = trail.watch(table);
      try {
        const view = await reader.look();
        if (trail.isSeen(view.snapshot, watch)) {
          return new RangeView(view, watch);
        }
        await view[Symbol.asyncDispose]();
      } catch (error) {
        watch[Symbol.dispose]();
        throw error;
      }
      watch[Symbol.dispose]();
      await pause(waitMs, undefined, { signal });
    }
  }

  /** Keys that are the stream's by now, as `rowKey`. */
  get touched(): ReadonlySet<string> | 'all' {
    return this.watch.touched(this.view.snapshot);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watch[Symbol.dispose]();
    await this.view[Symbol.asyncDispose]();
  }
}

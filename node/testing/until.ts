/** Waits for a condition with a deadline; the only way a test waits. */
import { setTimeout as pause } from 'node:timers/promises';

export interface UntilOptions {
  /** What is waited for, for the message of the failure. */
  readonly what: string;
  /** Default: 60 s. What takes a second on a quiet machine may take twenty beside other tests. */
  readonly ms?: number;
  /** Default: 20 ms, and after half a second a twenty-fifth of what was waited: who asks takes the processor from what is waited for. */
  readonly everyMs?: number;
  /** true: an exception of the condition ends the wait; else it counts as "not yet" and is the failure's cause. */
  readonly throwing?: boolean;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
}

/** Resolves with the first truthy value of the condition. @throws Error after the deadline, with the last exception as cause. */
export async function until<T>(
  condition: () => Promise<T> | T,
  options: UntilOptions,
): Promise<NonNullable<T>> {
  const ms = options.ms ?? 60_000;
  const started = performance.now();
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) {
        return value;
      }
    } catch (error) {
      if (options.throwing) {
        throw error;
      }
      cause = error;
    }
    options.signal?.throwIfAborted();
    const waited = performance.now() - started;
    if (waited > ms) {
      throw new Error(`waited ${ms} ms in vain: ${options.what}`, { cause });
    }
    await pause(options.everyMs ?? Math.max(20, waited / 25));
  }
}

/**
 * The window of the topology file in which every table is compared with the children: asks for it at the times of the
 * cron expression in force. A time at which no process serves the node is left out; metrics show through when all is verified.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createTask } from 'node-cron';
import type { Log } from '../log.ts';

export interface Window {
  /** Cron expression of five fields; null: none. */
  readonly expression: string | null;
  /** IANA zone. */
  readonly zone: string;
}

export interface VerifyWindowOptions {
  /** In force. */
  readonly window: () => Window;
  /** Asks for the comparison; who fails is told in the log. */
  readonly ask: () => Promise<void>;
  readonly log: Log;
}

/** How soon a changed topology file changes the times. */
const lookMs = 1000;

export class VerifyWindow {
  readonly #options: VerifyWindowOptions;

  constructor(options: VerifyWindowOptions) {
    this.#options = options;
  }

  /** Resolves when told to stop; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { expression, zone } = this.#options.window();
      await using _task = expression === null ? null : this.#task(expression, zone);
      while (!signal.aborted && this.#isInForce({ expression, zone })) {
        await pause(lookMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  #isInForce({ expression, zone }: Window): boolean {
    const now = this.#options.window();
    return now.expression === expression && now.zone === zone;
  }

  #task(expression: string, timezone: string): AsyncDisposable {
    const task = createTask(expression, async () => await this.#ask(), {
      timezone,
      noOverlap: true,
    });
    void task.start();
    return {
      [Symbol.asyncDispose]: async () => {
        await task.destroy();
      },
    };
  }

  async #ask(): Promise<void> {
    const { ask, log } = this.#options;
    try {
      await ask();
      log.info({}, 'the window for verification has begun');
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error;
      log.warn({ error: name }, 'verification could not be asked for; the next window will');
    }
  }
}

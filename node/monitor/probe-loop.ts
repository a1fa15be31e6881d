/** Asks the applications of the datacentre again and again, whether or not this process serves: their database may be down. */
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeConfig } from '../config/model.ts';
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import { ask, type ProbeAnswer } from './probe.ts';

export interface Probe extends ProbeAnswer {
  readonly name: string;
  /** Since when it has been up, or not. */
  readonly since: Date;
  /** How long the last answer took. */
  readonly seconds: number;
}

export interface ProbeLoopOptions {
  /** Of the file in force. */
  readonly probes: () => NodeConfig['probes'];
  readonly log: Log;
  readonly everyMs?: number;
  readonly timeoutMs?: number;
}

export class ProbeLoop {
  readonly #options: ProbeLoopOptions;
  readonly #last = new Map<string, Probe>();

  constructor(options: ProbeLoopOptions) {
    this.#options = options;
  }

  /** What answered at least once, in the order of the file. */
  get results(): readonly Probe[] {
    return this.#options.probes().flatMap(({ name }) => this.#last.get(name) ?? []);
  }

  /** Asks all, every 15 s, until told to stop. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await Promise.all(this.#options.probes().map(async (probe) => await this.#ask(probe)));
      await pause(this.#options.everyMs ?? 15_000, undefined, { signal }).catch(() => {});
    }
  }

  async #ask({ name, url }: NodeConfig['probes'][number]): Promise<void> {
    const started = performance.now();
    const answer = await this.#answer(url);
    const seconds = (performance.now() - started) / 1000;
    const before = this.#last.get(name);
    const same = before?.up === answer.up;
    this.#last.set(name, { ...answer, name, seconds, since: same ? before.since : new Date() });
    if (!same && (before !== undefined || !answer.up)) {
      const { up, reason } = answer;
      const level = up ? 'info' : 'warn';
      this.#options.log[level](
        { probe: name, reason },
        up ? 'the application is back' : 'the application is down',
      );
    }
  }

  async #answer(url: NodeConfig['probes'][number]['url']): Promise<ProbeAnswer> {
    try {
      return await ask(url.read(), this.#options.timeoutMs ?? 5000);
    } catch (error) {
      const reason = error instanceof TributaryError ? error.code : 'internal';
      return { kind: 'tcp', up: false, reason, certificateExpires: null };
    }
  }
}

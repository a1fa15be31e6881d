/** People at work in every district: several connections each, until told to stop. */
import { Random } from '../random.ts';
import { Tally } from './transitions.ts';
import { Worker } from './worker.ts';

const workersPerDistrict = 3;
const meanPauseMs = 220;

export interface GeneratorOptions {
  readonly districts: readonly { readonly name: string; readonly url: string }[];
  readonly seed: number;
  /** Multiplies the load. */
  readonly rate: number;
}

export class Generator {
  readonly tally = new Tally();
  readonly #workers: readonly Worker[];

  constructor({ districts, seed, rate }: GeneratorOptions) {
    this.#workers = districts.flatMap(({ name, url }) =>
      Array.from({ length: workersPerDistrict }, (_, index) => {
        const label = `${name}-${index + 1}`;
        return new Worker({
          url,
          name: label,
          random: new Random(seed, 'health', label),
          tally: this.tally,
          pauseMs: meanPauseMs / rate,
        });
      }),
    );
  }

  /** Resolves when told to stop and every open transaction has ended; rejects when a worker can not go on. */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const any = AbortSignal.any([signal, failed.signal]);
    const ends = await Promise.allSettled(
      this.#workers.map(async (worker) => {
        await worker.run(any).catch((error: unknown) => {
          failed.abort();
          throw error;
        });
      }),
    );
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure) {
      throw failure.reason;
    }
  }
}

/** A seeded source of randomness: the key stream of AES-256 in counter mode, so large incompressible values are cheap. */
import { type Cipheriv, createCipheriv, createHash } from 'node:crypto';
import { v4 } from 'uuid';

export class Random {
  readonly #stream: Cipheriv;

  /** The same seed and labels give the same sequence; other labels an independent one. */
  constructor(seed: number, ...labels: readonly string[]) {
    const key = createHash('sha256')
      .update(JSON.stringify([seed, ...labels]))
      .digest();
    this.#stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  bytes(count: number): Buffer {
    return this.#stream.update(Buffer.alloc(count));
  }

  /** In [0, 1). */
  fraction(): number {
    return this.bytes(6).readUIntBE(0, 6) / 2 ** 48;
  }

  /** A whole number from low to high, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** @throws RangeError when there is nothing to pick from. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) {
      throw new RangeError('nothing to pick from');
    }
    return items[this.integer(0, items.length - 1)] as T;
  }

  /** One of the names, each with the probability of its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) {
        return name;
      }
    }
    throw new RangeError('no weight above zero');
  }

  /** Waiting times of independent events: exponential with this mean. */
  waiting(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  /** Text that does not compress, of about this many bytes. */
  text(bytes: number): string {
    return this.bytes(Math.ceil((bytes * 3) / 4)).toString('base64');
  }

  uuid(): string {
    return v4({ random: this.bytes(16) });
  }
}

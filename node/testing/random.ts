/** Random choices that a seed repeats (sfc32, which also makes the filling of large values cheap). */
import { createHash } from 'node:crypto';

export class Random {
  readonly seed: number;
  readonly #label: string;
  /** 128 bits: with 32, two clerks would soon make the same uuid. */
  readonly #state: Uint32Array;

  constructor(seed: number, label = '') {
    this.seed = seed;
    this.#label = label;
    const digest = createHash('sha256').update(`${seed} ${label}`).digest();
    this.#state = Uint32Array.from([0, 4, 8, 12], (at) => digest.readUInt32LE(at));
  }

  /** The seed of TEST_SEED, or a new one. Print it: it is the only way back to a failure. */
  static seedOfRun(): number {
    const text = process.env['TEST_SEED'];
    return text ? Number(text) : Math.floor(Math.random() * 0x1_0000_0000);
  }

  /** Another stream of choices, the same for the same label. */
  fork(label: string): Random {
    return new Random(this.seed, `${this.#label}/${label}`);
  }

  /** 0 <= x < 1. */
  next(): number {
    const state = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const mixed = (a + b + d) >>> 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + mixed;
    state[3] = d + 1;
    return mixed / 0x1_0000_0000;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** @throws RangeError for an empty list. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) {
      throw new RangeError('nothing to pick from');
    }
    return list[this.below(list.length)] as T;
  }

  /** As often as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const names = Object.keys(weights) as T[];
    let left = this.next() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) {
      left -= weights[name];
      if (left < 0) {
        return name;
      }
    }
    return names.at(-1) as T;
  }

  /** Incompressible. */
  bytes(length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    for (let at = 0; at + 4 <= length; at += 4) {
      buffer.writeUInt32LE(Math.floor(this.next() * 0x1_0000_0000), at);
    }
    for (let at = length - (length % 4); at < length; at += 1) {
      buffer[at] = this.below(256);
    }
    return buffer;
  }

  uuid(): string {
    const hex = this.bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}

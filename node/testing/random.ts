/** Random choices that a seed repeats (mulberry32). */

export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** The seed of TEST_SEED, or a new one. Print it: it is the only way back to a failure. */
  static seedOfRun(): number {
    const text = process.env['TEST_SEED'];
    return text ? Number(text) : Math.floor(Math.random() * 0x1_0000_0000);
  }

  /** Another stream of choices, the same for the same label. */
  fork(label: string): Random {
    let hash = 2_166_136_261 ^ this.seed;
    for (const character of label) {
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619);
    }
    return new Random(hash);
  }

  /** 0 <= x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
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

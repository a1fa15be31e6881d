/**
 * Large buffers that are used again. V8 counts the bytes of buffers that nobody holds any more towards its heap until it
 * collects them: a first copy of 500,000 rows had the whole heap collected 38 times, which took more than a third of the time
 * this process was busy.
 */

export class BufferPool {
  readonly #most: number;
  readonly #free: ArrayBufferLike[] = [];
  #bytes = 0;

  /** @param most bytes that are kept unused. */
  constructor(most: number) {
    this.#most = most;
  }

  /** At least so many bytes, of any content. */
  take(bytes: number): Buffer {
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
    const [found] = at < 0 ? [] : this.#free.splice(at, 1);
    if (!found) {
      return Buffer.allocUnsafeSlow(bytes);
    }
    this.#bytes -= found.byteLength;
    return Buffer.from(found);
  }

  /** What was taken, or a part of it, when nobody looks at it any more. The oldest make room. */
  give({ buffer }: Buffer): void {
    this.#free.push(buffer);
    this.#bytes += buffer.byteLength;
    while (this.#bytes > this.#most) {
      this.#bytes -= this.#free.shift()?.byteLength ?? 0;
    }
  }
}

/** Progress on stderr: plain lines, and on a terminal one live line below them. stdout is left to the verdict. */
import type { WriteStream } from 'node:tty';

export class Progress {
  readonly #out: NodeJS.WriteStream | WriteStream;
  readonly #started = performance.now();
  #live = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  get terminal(): boolean {
    return this.#out.isTTY;
  }

  line(text: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1).padStart(6);
    this.#clear();
    this.#out.write(`${seconds} s  ${text}\n`);
    this.#draw();
  }

  /** Text without a time, such as the help of the commands. */
  text(text: string): void {
    this.#clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /** Replaces the live line; nothing elsewhere than on a terminal. */
  live(text: string): void {
    if (this.#out.isTTY) {
      this.#clear();
      this.#live = text.slice(0, Math.max(20, (this.#out.columns || 80) - 1));
      this.#draw();
    }
  }

  #clear(): void {
    if (this.#live !== '') {
      this.#out.write('\r\u001B[2K');
    }
  }

  #draw(): void {
    if (this.#live !== '') {
      this.#out.write(this.#live);
    }
  }
}

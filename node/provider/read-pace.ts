/**
 * How long the socket is left alone after it was read empty; pure. A walsender sends every message by itself, so a busy
 * stream read at once wakes this process for each: reading in chunks 5 ms apart made 980 reads of 123,000 and took
 * three quarters of the processor time of reader and walsender. An idle stream is never delayed.
 */
const pauseMs = 5;
/** A turn of the event loop that read this much may have left something behind: it is followed at once. */
const fullTurnBytes = 64 * 1024;
/** Turns within one window that make a stream busy. */
const busyTurns = 16;
const windowMs = 10;
/** What a pause must have gathered for the stream to stay busy. */
const busyBytes = 2048;

export class ReadPace {
  #busy = false;
  #windowStart = 0;
  #turns = 0;

  /** @param bytes read in this turn of the event loop; returns milliseconds to pause, 0 for none. */
  afterTurn(bytes: number, nowMs: number): number {
    if (bytes >= fullTurnBytes) {
      return 0;
    }
    if (this.#busy) {
      this.#busy = bytes >= busyBytes;
    } else {
      this.#busy = this.#manyTurns(nowMs);
    }
    return this.#busy ? pauseMs : 0;
  }

  #manyTurns(nowMs: number): boolean {
    if (nowMs - this.#windowStart > windowMs) {
      this.#windowStart = nowMs;
      this.#turns = 0;
    }
    this.#turns += 1;
    return this.#turns >= busyTurns;
  }
}

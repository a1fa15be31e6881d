/** When a silent link counts as dead; pure. */

export interface Silence {
  /** Since any byte came. */
  readonly sinceHeardMs: number;
  readonly limitMs: number;
  /** We do not read: whatever the walsender says waits in the socket. */
  readonly paused: boolean;
}

/** Every status asks for an answer, so a living walsender is heard several times within wal_sender_timeout. */
export function silenceLimitMs(walSenderTimeoutMs: number): number {
  return walSenderTimeoutMs > 0 ? walSenderTimeoutMs : 60_000;
}

export function isSilent(silence: Silence): boolean {
  return !silence.paused && silence.sinceHeardMs > silence.limitMs;
}

/** Durations and sizes as people write them in the topology file. */

export const durationPattern = /^[1-9][0-9]{0,5}(?:ms|s|m|h)$/;
export const sizePattern = /^[1-9][0-9]{0,8}(?:MB|GB|TB)$/;

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const bytes: Readonly<Record<string, number>> = { MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };

/** `30s` to 30000. The text must match durationPattern. */
export function durationMs(text: string): number {
  return Number.parseInt(text, 10) * (milliseconds[text.replace(/^\d+/, '')] ?? Number.NaN);
}

/** `8GB` to bytes; units as PostgreSQL counts them, by 1024. The text must match sizePattern. */
export function sizeBytes(text: string): number {
  return Number.parseInt(text, 10) * (bytes[text.replace(/^\d+/, '')] ?? Number.NaN);
}

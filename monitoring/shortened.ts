/**
 * The rules with every duration divided by one factor, to see alerts fire by causing their conditions:
 * `node monitoring/shortened.ts 60 > FILE`. Only how long a condition has to hold and how far back is looked gets
 * shorter; thresholds, and the day of the forecasts, are left as they are.
 */
import { readFile } from 'node:fs/promises';

const seconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Ranges keep at least 15 s, in which two scrapes lie when these are every 5 s. */
const leastRangeSeconds = 15;

/** `text`: the rules as written; comments and layout stay. */
export function shortened(text: string, factor: number): string {
  return text
    .replaceAll(/(\bfor: |\boffset )(\d+)([smhd])\b/g, (_, before: string, count, unit) => {
      return `${before}${divided(count, unit, factor, 1)}s`;
    })
    .replaceAll(/\[(\d+)([smhd])\]/g, (_, count, unit) => {
      return `[${divided(count, unit, factor, leastRangeSeconds)}s]`;
    });
}

function divided(count: string, unit: keyof typeof seconds, factor: number, least: number): number {
  return Math.max(least, Math.round((Number(count) * seconds[unit]) / factor));
}

if (import.meta.main) {
  const factor = Number(process.argv[2] ?? '60');
  const text = await readFile(new URL('alerts.yml', import.meta.url), 'utf8');
  process.stdout.write(shortened(text, factor));
}

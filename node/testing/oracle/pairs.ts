/** Which majors follow which: by default the oldest and the newest by themselves; TEST_PAIRS, such as `15-18,18-15`. */
import { majors } from '../database.ts';
import type { Pair } from './oracle.ts';

export function pairs(): readonly Pair[] {
  const running = majors();
  const text = process.env['TEST_PAIRS'];
  const wanted = text
    ? text.split(',').map((pair) => pair.split('-').map(Number))
    : [
        [15, 15],
        [18, 18],
      ];
  return wanted
    .map(([provider = 0, subscriber = provider]) => ({ provider, subscriber }))
    .filter((pair) => running.includes(pair.provider) && running.includes(pair.subscriber));
}

export function pairName({ provider, subscriber }: Pair): string {
  return `PostgreSQL ${provider} to ${subscriber}`;
}

/** Which majors follow which: TEST_PAIRS, such as `15-18,18-15`, or the ones of the caller; as far as they run. */
import { majors } from '../database.ts';
import type { Pair } from './oracle.ts';

export const alike: readonly Pair[] = [
  { provider: 15, subscriber: 15 },
  { provider: 18, subscriber: 18 },
];

export function pairs(usual: readonly Pair[] = alike): readonly Pair[] {
  const running = majors();
  return (wanted() ?? usual).filter(
    (pair) => running.includes(pair.provider) && running.includes(pair.subscriber),
  );
}

function wanted(): readonly Pair[] | null {
  const text = process.env['TEST_PAIRS'];
  return (
    text?.split(',').map((pair) => {
      const [provider = 0, subscriber = provider] = pair.split('-').map(Number);
      return { provider, subscriber };
    }) ?? null
  );
}

export function pairName({ provider, subscriber }: Pair): string {
  return `PostgreSQL ${provider} to ${subscriber}`;
}

/** How long what is left lasts at the rate of the last day. Pure. */
import type { DayRates } from '../database/day-rates.ts';
import type { Disk } from './disk.ts';
import type { Slot } from './sample.ts';

export interface Forecast {
  /** Until the disk is full; null: it does not fill, or is not known. */
  readonly diskSeconds: number | null;
  /** How long the link to the parent may be cut from now on; null: the root, or not known. */
  readonly offlineSeconds: number | null;
  /** Per slot that nobody reads, until it may be given up. */
  readonly slotSeconds: ReadonlyMap<string, number>;
}

export interface ForecastFacts {
  readonly rates: DayRates | null;
  readonly slots: readonly Slot[];
  readonly disk: Disk | null;
  /** null: the root. */
  readonly parent: string | null;
}

export function forecast({ rates, slots, disk, parent }: ForecastFacts): Forecast {
  const log = rates?.logBytesPerSecond ?? null;
  const free = rates?.diskFreeBytesPerSecond ?? null;
  const own = slots.find(({ name }) => name === `tributary_${parent}`);
  return {
    diskSeconds: lasts(disk?.freeBytes, free === null ? null : -free),
    // Without a bound the log may take the whole disk; a lost slot is beyond any forecast.
    offlineSeconds:
      own === undefined || own.walStatus === 'lost'
        ? null
        : lasts(own.safeWalBytes ?? disk?.freeBytes, log),
    slotSeconds: new Map(
      slots.flatMap((slot) => {
        const seconds = slot.active ? null : lasts(slot.safeWalBytes, log);
        return seconds === null ? [] : [[slot.name, seconds] as const];
      }),
    ),
  };
}

/** Seconds; null: for ever, or not known. */
function lasts(bytes: number | null | undefined, rate: number | null): number | null {
  return bytes === null || bytes === undefined || rate === null || rate <= 0
    ? null
    : Math.max(0, bytes) / rate;
}

/**
 * The state inside a heartbeat from below, read with care: another version may have written it, so each part that is
 * not as expected is left out alone, and what becomes a label is bounded in number and length.
 */
import { z } from 'zod';

const mostParts = 64;

const name = z.string().max(100);
const size = z.number().nonnegative().nullable();

const slot = z.object({
  name,
  active: z.boolean(),
  status: name.nullable(),
  retained: size,
  safe: size,
});
const probe = z.object({
  name,
  up: z.boolean(),
  certificate: z.iso.datetime().nullable().catch(null),
});
const finding = z.object({ code: name, severity: z.enum(['error', 'warning', 'info']) });

const schema = z.object({
  disk: z.object({ total: size, free: size }).nullable().catch(null),
  log: z
    .object({ directory: size.catch(null), slots: z.array(slot).max(mostParts).catch([]) })
    .catch({ directory: null, slots: [] }),
  streams: z.record(name, z.object({ state: name })).catch({}),
  forecast: z
    .object({ disk: size.catch(null), offline: size.catch(null) })
    .catch({ disk: null, offline: null }),
  probes: z.array(probe).max(mostParts).catch([]),
  findings: z.array(finding).max(1000).catch([]),
});

export type SubtreeState = z.infer<typeof schema>;

/** Whatever stands there; what can not be read is null or empty. */
export function subtreeState(state: unknown): SubtreeState {
  const read = schema.catch({
    disk: null,
    log: { directory: null, slots: [] },
    streams: {},
    forecast: { disk: null, offline: null },
    probes: [],
    findings: [],
  });
  const { streams, ...rest } = read.parse(state);
  return { ...rest, streams: Object.fromEntries(Object.entries(streams).slice(0, mostParts)) };
}

/** The loop that writes this node's heartbeat: at its interval, at once when asked, and by its owner before a planned stop. */
import { setTimeout as pause } from 'node:timers/promises';
import { purgeAudit } from '../database/audit.ts';
import { purgeHeartbeats, writeHeartbeat } from '../database/heartbeats.ts';
import { localError } from '../database/local-error.ts';
import type { TributaryDatabase } from '../database/tables.ts';
import type { Log } from '../log.ts';
import { forecastOf, type Snapshot } from './snapshot.ts';

export interface HeartbeatOptions {
  readonly database: TributaryDatabase;
  /** Never rejects. */
  readonly snapshot: () => Promise<Snapshot>;
  readonly log: Log;
}

/** A storm of changes of state is told in one heartbeat. */
const togetherMs = 200;
const purgeEvery = 100;

export class HeartbeatLoop {
  readonly #options: HeartbeatOptions;
  #wake = new AbortController();
  #written = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Writes until told to stop; a write that fails is logged once and tried again at the next interval. */
  async run(signal: AbortSignal): Promise<void> {
    let failing = false;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      try {
        await this.write();
        failing = false;
      } catch (error) {
        if (!failing) {
          this.#options.log.warn({ code: localError(error).code }, 'the heartbeat was not written');
        }
        failing = true;
      }
      const { topology } = await this.#options.snapshot();
      await pause(Math.min(togetherMs, topology.heartbeatMs), undefined, { signal }).catch(
        () => {},
      );
      const either = AbortSignal.any([signal, this.#wake.signal]);
      const rest = Math.max(0, topology.heartbeatMs - togetherMs);
      await pause(rest, undefined, { signal: either }).catch(() => {});
    }
  }

  /** The next heartbeat is written at once, not at its interval. */
  soon(): void {
    this.#wake.abort();
  }

  /** @throws pg.DatabaseError. */
  async write(): Promise<void> {
    const { database, snapshot } = this.#options;
    const now = await snapshot();
    await writeHeartbeat(database, {
      node: now.node.name,
      version: now.version,
      topology: now.topology.digest,
      state: stateOf(now),
      diskFree: now.sample.disk?.freeBytes ?? null,
    });
    // crash point: heartbeat-written
    if (this.#written % purgeEvery === 0) {
      await purgeHeartbeats(database);
      await purgeAudit(database, now.node.name);
    }
    this.#written += 1;
  }
}

/** Names and numbers only: this row is read at every level above. */
function stateOf(snapshot: Snapshot): Readonly<Record<string, unknown>> {
  const { sample, streams, findings, probes } = snapshot;
  const { diskSeconds, offlineSeconds } = forecastOf(snapshot);
  return {
    disk: sample.disk && { total: sample.disk.totalBytes, free: sample.disk.freeBytes },
    log: {
      directory: sample.walDirectoryBytes,
      slots: sample.slots.map(({ name, active, walStatus, retainedBytes, safeWalBytes }) => ({
        name,
        active,
        status: walStatus,
        retained: retainedBytes,
        safe: safeWalBytes,
      })),
    },
    streams: Object.fromEntries(
      streams.map(({ provider, state, failure }) => [
        provider,
        { state, code: failure?.code ?? null },
      ]),
    ),
    forecast: { disk: diskSeconds, offline: offlineSeconds },
    probes: probes.map(({ name, up, certificateExpires }) => ({
      name,
      up,
      certificate: certificateExpires?.toISOString() ?? null,
    })),
    findings: findings.map(({ code, object, severity }) => ({ code, object, severity })),
  };
}

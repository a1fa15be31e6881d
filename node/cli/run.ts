/** `tributary run`: serves a node until told to stop. A database that is down, or not prepared yet, is waited for. */
import { setTimeout as pause } from 'node:timers/promises';
import { environment } from '../config/environment.ts';
import { openPool } from '../database/connect.ts';
import { tributaryDatabase } from '../database/tables.ts';
import { serveHttp } from '../http/serving.ts';
import type { NodeActing, NodeReading } from '../http/node-api.ts';
import { observe } from '../monitor/observe.ts';
import { openApi } from '../monitor/open-api.ts';
import { Metrics } from '../monitor/registry.ts';
import { isReady, reportStatus } from '../monitor/report-status.ts';
import { Sampler } from '../monitor/sample.ts';
import { TributaryError } from '../errors.ts';
import { keepHeapSmall } from './heap.ts';
import { logWriter } from './log-writer.ts';
import { NodeService } from './node-service.ts';
import type { Place } from './place.ts';
import { streamEnds } from './stream-ends.ts';
import { version } from './version.ts';
import { nodeWatches } from './watches.ts';

export interface Signals {
  /** The planned end. */
  readonly stop: AbortSignal;
  /** Asked a second time: at once. */
  readonly force: AbortSignal;
  onReload(listener: () => void): void;
}

/** After a planned stop: streams drain, the last heartbeat is written, connections are ended. */
const stopMs = 10_000;

/** 0: stopped as asked, everything drained; 1: it had to be cut short. @throws TributaryError secret_unreadable. */
export async function runCommand(place: Place, signals: Signals): Promise<number> {
  keepHeapSmall();
  const { node, topology } = place;
  const log = logWriter(environment().logLevel).child({ node: node.name });
  const pool = openPool({
    url: node.database.read(),
    applicationName: `tributary ${node.name} ${topology.digest}`,
    settings: { statement_timeout: 30_000, lock_timeout: 5000 },
    max: 6,
  });
  const database = tributaryDatabase(pool);
  const sampler = new Sampler({ pool, database, diskPath: () => node.disk?.path ?? null });
  const service = new NodeService({
    place,
    pool,
    database,
    sampler,
    // Rows and the positions beside them stay in the database in which this process leads, whatever a new file names.
    ends: (topology, now) => streamEnds(topology, { ...now, database: node.database }, log),
    watches: (topology) => nodeWatches({ pool, database, topology, node: node.name, log }),
    log,
  });
  log.info({ version, topology: topology.digest, level: node.level }, 'starting');
  signals.onReload(() => void service.reload().catch(() => {}));
  const closed = new AbortController();
  const { host, port, open } = node.http;
  const api = { name: node.name, host, port, open, log };
  const http = serveHttp({ ...api, ...nodeApi(service) }, closed.signal);
  const drained = await untilStopped(service.run(signals.stop), signals);
  closed.abort();
  await Promise.race([Promise.all([http, pool.end()]), pause(1000, undefined, { ref: false })]);
  log.info({ drained }, 'stopped');
  return drained ? 0 : 1;
}

/** False: the deadline after the planned stop passed, or it was asked for again. */
async function untilStopped(running: Promise<void>, { stop, force }: Signals): Promise<boolean> {
  const cut = Promise.withResolvers<boolean>();
  let deadline: NodeJS.Timeout | undefined;
  stop.addEventListener('abort', () => {
    deadline = setTimeout(() => cut.resolve(false), stopMs);
  });
  force.addEventListener('abort', () => cut.resolve(false));
  try {
    return await Promise.race([running.then(() => true), cut.promise]);
  } finally {
    clearTimeout(deadline);
  }
}

function nodeApi(service: NodeService): { reading: NodeReading; acting: NodeActing } {
  const metrics = new Metrics();
  return {
    reading: {
      status: async () => reportStatus(await service.snapshot()),
      description: () => openApi(version),
      metrics: async () => {
        observe(metrics, await service.snapshot());
        return { contentType: metrics.contentType, text: await metrics.text() };
      },
      unready: async () => {
        const snapshot = await service.snapshot();
        if (isReady(snapshot)) {
          return null;
        }
        const { leader, problem, sample } = snapshot;
        const error = problem ?? sample.error ?? new TributaryError('not_leading', { leader });
        return { code: error.code, reason: error.message, advice: error.advice };
      },
    },
    acting: {
      reload: async () => await service.reload(),
      pause: async (stream, actor) => await service.deeds.setPaused(stream, true, actor),
      retryParked: async (stream, deed) => await service.deeds.retryParked(stream, deed),
      discardParked: async (stream, deed) => await service.deeds.discardParked(stream, deed),
      resume: async (stream, actor) => await service.deeds.setPaused(stream, false, actor),
      verify: async (stream, deed) => await service.deeds.verify(stream, deed),
      reconcile: async (stream, deed) => await service.deeds.reconcile(stream, deed),
      freeRewound: async (stream, deed) => await service.deeds.freeRewound(stream, deed),
    },
  };
}

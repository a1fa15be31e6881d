/** What a topology file that comes into force means to this node's database: whose rows come by which child. */
import { replicationSet } from '../config/built-in.ts';
import type { NodeConfig, Topology } from '../config/model.ts';
import { routeOf } from '../config/tree.ts';
import { itself, writeAudit } from '../database/audit.ts';
import { struckNames } from '../database/origin-rows.ts';
import { replaceRoutes } from '../database/routes.ts';
import { queryOf, type TributaryDatabase } from '../database/tables.ts';
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';

/**
 * A name that rows bear stays in the file: without it nobody could say whose they are, and they would be taken for
 * violations above. @throws TributaryError name_struck
 */
export async function assertNamesKept(
  database: TributaryDatabase,
  topology: Topology,
): Promise<void> {
  const names = topology.nodes.map(({ name }) => name);
  const struck = await struckNames(queryOf(database), replicationSet(topology), names);
  if (struck.length > 0) {
    throw new TributaryError('name_struck', {
      names: struck.map(({ name }) => name).join(', '),
      tables: [...new Set(struck.map(({ table }) => table))].join(', '),
    });
  }
}

/** From here on rows come by the ways of that file. No stream runs meanwhile that the file changes. */
export async function routeBy(
  database: TributaryDatabase,
  { topology, node }: { readonly topology: Topology; readonly node: NodeConfig },
  log: Log,
): Promise<void> {
  for (const rerouted of await replaceRoutes(database, routeOf(topology, node))) {
    log.info({ ...rerouted }, 'an origin comes by another way from now on');
  }
}

export async function auditTopology(
  database: TributaryDatabase,
  node: string,
  { before, digest }: { readonly before: string; readonly digest: string },
): Promise<void> {
  if (digest !== before) {
    const deed = { node, actor: itself, action: 'topology', subject: digest };
    await writeAudit(database, { ...deed, detail: { before } });
  }
}

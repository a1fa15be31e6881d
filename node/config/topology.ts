/** From the checked shape to the Topology that every room reads: defaults filled in, units converted. */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { parseFilter } from './filter.ts';
import type { NodeConfig, Orphans, ReplicatedTable, Secret, Topology } from './model.ts';
import { durationMs, sizeBytes } from './quantity.ts';
import { postgresUrl } from './postgres-url.ts';
import { secretOf } from './secret.ts';
import type { NodeShape } from './node-shape.ts';
import type { TopologyShape } from './shape.ts';
import type { TableShape } from './table-shape.ts';
import type { Path, YamlSource } from './yaml-source.ts';

export interface TopologyOrigin {
  readonly file: string;
  readonly text: string;
  readonly source: YamlSource;
}

type SecretAt = (template: string, path: Path) => Secret;

/** The shape must have passed every rule. */
export function topologyOf(shape: TopologyShape, { file, text, source }: TopologyOrigin): Topology {
  const directory = dirname(file);
  const secret: SecretAt = (template, path) =>
    secretOf(template, { line: source.lineOf(path), directory });
  return {
    file,
    digest: createHash('sha256').update(text).digest('hex').slice(0, 12),
    zone: shape.zone,
    heartbeatMs: durationMs(shape.heartbeat),
    verify: shape.verify ?? null,
    levels: shape.levels,
    tables: shape.tables.map((table) => tableOf(table, shape.levels)),
    nodes: shape.nodes.map((node, index) => nodeOf(node, ['nodes', index], secret)),
  };
}

/** `database` and `provider` are URLs of PostgreSQL; that is seen when they are read. What is probed may be anything. */
function urlSecret(secret: Secret): Secret {
  const { template, line } = secret;
  // A URL written out may hold a password; one of placeholders alone names them.
  const named = /^\$\{[^}]*\}$/.test(template) ? template.slice(2, -1) : null;
  return { ...secret, read: () => postgresUrl(secret.read(), { secret: named, line }) };
}

function tableOf(table: TableShape, levels: readonly string[]): ReplicatedTable {
  const [schema = '', name = ''] = table.table.split('.');
  return {
    schema,
    name,
    key: table.key ?? null,
    approved: table.approved === undefined ? null : parseFilter(table.approved),
    columns: table.columns ?? null,
    at: columnsByLevel(table, levels),
    identity: table.identity,
    carry: table.carry,
    origin: table.origin ?? null,
    orphans: orphansOf(table.orphans),
    orphansByForeignKey: new Map(
      Object.entries(table.orphans_by_foreign_key ?? {}).map(([key, rule]) => [
        key,
        orphansOf(rule),
      ]),
    ),
    deletes:
      table.deletes === 'hard' ? { rule: 'hard' } : { rule: 'soft', column: table.deletes.soft },
  };
}

/**
 * What a level keeps back never reaches a higher one, whose columns hold defaults then: they must not travel on as
 * values. So each level takes at most what the level below lets out.
 */
function columnsByLevel(
  table: TableShape,
  levels: readonly string[],
): ReadonlyMap<string, { readonly columns: readonly string[] }> {
  const leaving = new Map<string, { readonly columns: readonly string[] }>();
  for (const level of levels) {
    const below = [...leaving.values()].at(-1)?.columns;
    const own = table.at?.[level]?.columns;
    const columns = own?.filter((column) => below?.includes(column) ?? true) ?? below;
    if (columns !== undefined) {
      leaving.set(level, { columns });
    }
  }
  return leaving;
}

function orphansOf(rule: TableShape['orphans']): Orphans {
  return typeof rule === 'object' ? { rule: 'deactivate', column: rule.deactivate } : { rule };
}

function nodeOf(node: NodeShape, path: Path, secret: SecretAt): NodeConfig {
  return {
    name: node.name,
    title: node.title ?? node.name,
    level: node.level,
    parent: node.parent ?? null,
    link: node.link,
    database: urlSecret(secret(node.database, [...path, 'database'])),
    provider:
      node.provider === undefined ? null : urlSecret(secret(node.provider, [...path, 'provider'])),
    roles: node.roles ?? { reader: 'tributary_reader', writer: 'tributary_writer' },
    http: node.http ?? { host: '127.0.0.1', port: 8080, open: false },
    disk: node.disk ?? null,
    probes: (node.probes ?? []).map((probe, index) => ({
      name: probe.name,
      url: secret(probe.url, [...path, 'probes', index, 'url']),
    })),
    outage: node.outage === undefined ? null : { logBytes: sizeBytes(node.outage.log) },
    spool: node.spool ?? null,
    retired: node.retired,
    adopt: node.adopt,
  };
}

/** The topology file of a test tree. */

/** Leaf first. */
export const levels: readonly string[] = ['district', 'region', 'nation'];

export interface TopologyTextOptions {
  readonly nodes: readonly {
    readonly name: string;
    readonly level: string;
    readonly parent: string | null;
    readonly httpPort: number;
  }[];
  /** The `tables:` section. */
  readonly tables: string;
  readonly heartbeat: string;
  readonly spool: string;
  /** Node -> further lines. */
  readonly more?: Readonly<Record<string, readonly string[]>>;
}

export function topologyText(options: TopologyTextOptions): string {
  const nodes = options.nodes.map((node) => {
    const parent = node.parent
      ? `    parent: ${node.parent}\n    provider: \${${secretOf(node.name, 'PROVIDER')}}\n`
      : '';
    return `  - name: ${node.name}
    level: ${node.level}
${parent}    database: \${${secretOf(node.name, 'DATABASE')}}
    http: {host: 127.0.0.1, port: ${node.httpPort}}
    spool: ${options.spool}
${(options.more?.[node.name] ?? []).map((line) => `    ${line}\n`).join('')}`;
  });
  return `version: 1
zone: Africa/Addis_Ababa
heartbeat: ${options.heartbeat}
levels: [${levels.join(', ')}]
${options.tables}nodes:
${nodes.join('')}`;
}

/** Name of the environment variable that holds a node's URL. */
export function secretOf(node: string, what: 'DATABASE' | 'PROVIDER'): string {
  return `${node.toUpperCase()}_${what}_URL`;
}

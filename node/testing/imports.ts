/**
 * Who may know whom, as data, and a judge of source text by it. Reads import lines and a few words; knows nothing of
 * what the code does.
 */
import { posix } from 'node:path';

export interface Source {
  /** From the repository's root, such as `node/apply/applier.ts`. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
}

/** any: values and types. types: `import type` only. A path: that one file of the room. */
type Leave = 'any' | 'types' | `${string}.ts`;

/** Room -> rooms it may import. What is not listed is refused; errors.ts and log.ts are open to all but the pure rooms. */
const leaves: Readonly<Record<string, Readonly<Record<string, Leave>>>> = {
  pgoutput: {},
  config: {},
  database: { config: 'types', pgoutput: 'lsn.ts' },
  provider: { pgoutput: 'any', database: 'any', config: 'types' },
  reconcile: {
    provider: 'any',
    apply: 'any',
    parking: 'any',
    pgoutput: 'any',
    database: 'any',
    config: 'types',
  },
  parking: { database: 'any', config: 'types', pgoutput: 'any' },
  apply: { pgoutput: 'any', database: 'any', parking: 'any', config: 'types' },
  publish: { config: 'any', database: 'any', pgoutput: 'lsn.ts' },
  supervise: {
    provider: 'any',
    apply: 'any',
    reconcile: 'any',
    parking: 'any',
    pgoutput: 'any',
    database: 'any',
    config: 'any',
  },
  monitor: {
    config: 'any',
    database: 'any',
    parking: 'any',
    pgoutput: 'lsn.ts',
    supervise: 'types',
  },
  http: { monitor: 'types', supervise: 'types' },
  jobs: { monitor: 'types', supervise: 'types' },
  monitoring: { monitor: 'any' },
};

/** They know every room, and none knows them. */
const outer = ['testing', 'bench'];

/** They wire: every room but testing. */
const wiring = ['cli', 'main'];

/** These know errors.ts of the common files and no other. */
const errorsOnly = ['pgoutput', 'config'];

/** Which room of node/ alone imports a package, or which ones; poc/ stands beside the rooms. */
const packages: Readonly<Record<string, readonly string[]>> = {
  'pg-logical-replication': ['provider'],
  'prom-client': ['monitor'],
  fastify: ['http'],
  // config/ asks it whether an expression is one.
  'node-cron': ['jobs', 'config'],
};

/** Every breach of a direction, one line each, with the file; empty when all hold. */
export function breaches(sources: readonly Source[]): string[] {
  const own = sources.filter((source) => !source.path.endsWith('.test.ts'));
  return [...own.flatMap(breachesOf), ...roomCycles(own)];
}

/** The import and re-export lines of a module, dynamic ones included. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const lines = /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  for (const [, type, target] of text.matchAll(lines)) {
    found.push({ target: target ?? '', typeOnly: type !== undefined });
  }
  for (const [, target] of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)) {
    found.push({ target: target ?? '', typeOnly: false });
  }
  return found;
}

/** `node/apply/x.ts` -> apply; `node/main.ts` -> main; `node/errors.ts` -> errors; `poc/...` -> poc. */
function roomOf(path: string): string {
  const [top, second = '', ...rest] = path.split('/');
  if (top !== 'node') {
    return top ?? '';
  }
  return rest.length === 0 ? second.replace(/\.ts$/, '') : second;
}

function breachesOf(source: Source): string[] {
  const room = roomOf(source.path);
  const found = importsOf(source.text).flatMap((line) => breachOfImport(source.path, room, line));
  const code = source.text.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  if (source.path.startsWith('node/') && room !== 'testing') {
    if (room !== 'config' && /\bprocess\.env\b|\benv\b[^;]*from 'node:process'/.test(code)) {
      found.push(`${source.path}: only config reads the environment`);
    }
    if (room !== 'main' && /\bprocess\s*\.\s*(?:on|once|addListener)\(/.test(code)) {
      found.push(`${source.path}: only main.ts handles signals`);
    }
  }
  return found;
}

function breachOfImport(path: string, room: string, line: Import): string[] {
  if (!line.target.startsWith('.')) {
    const homes = packages[line.target];
    return homes && !homes.includes(room) && room !== 'testing' && path.startsWith('node/')
      ? [`${path}: only ${homes.join(' and ')} imports ${line.target}`]
      : [];
  }
  const target = posix.join(posix.dirname(path), line.target);
  const to = roomOf(target);
  return to === room || mayImport(room, to, { target, typeOnly: line.typeOnly })
    ? []
    : [`${path}: ${room} may not import ${line.typeOnly ? 'types of ' : ''}${target}`];
}

function mayImport(room: string, to: string, line: Import): boolean {
  if (outer.includes(room)) {
    return to !== 'bench';
  }
  if (room === 'poc' || to === 'poc' || outer.includes(to)) {
    return false;
  }
  if (to === 'errors' || to === 'log') {
    return to === 'errors' || !errorsOnly.includes(room);
  }
  if (wiring.includes(room)) {
    return to !== 'main';
  }
  const leave = leaves[room]?.[to];
  return (
    leave === 'any' || (leave === 'types' && line.typeOnly) || line.target === `node/${to}/${leave}`
  );
}

/** Rooms that know each other, by whatever way round; testing knows all and is known by none. */
function roomCycles(sources: readonly Source[]): string[] {
  const graph = new Map<string, Set<string>>();
  for (const { path, text } of sources) {
    const room = roomOf(path);
    for (const { target } of importsOf(text)) {
      const to = target.startsWith('.') ? roomOf(posix.join(posix.dirname(path), target)) : room;
      if (to !== room) {
        graph.set(room, (graph.get(room) ?? new Set()).add(to));
      }
    }
  }
  return [...graph.keys()].flatMap((room) => {
    const way = wayBack(graph, room, room, new Set());
    return way ? [`rooms in a circle: ${[room, ...way].join(' -> ')}`] : [];
  });
}

function wayBack(
  graph: ReadonlyMap<string, ReadonlySet<string>>,
  from: string,
  goal: string,
  seen: Set<string>,
): string[] | null {
  for (const next of graph.get(from) ?? []) {
    if (next === goal) {
      return [next];
    }
    if (!seen.has(next)) {
      seen.add(next);
      const rest = wayBack(graph, next, goal, seen);
      if (rest) {
        return [next, ...rest];
      }
    }
  }
  return null;
}

/**
 * The parts of a file that have the right shape, so that the rules about meaning are checked even where some fields are
 * wrong: all problems come at once. A field that is present and wrong, or misspelt, is undefined, yet `in` finds it.
 */
import type { z } from 'zod';
import { nodeShape } from './node-shape.ts';
import type { NodeShape } from './node-shape.ts';
import { topologyShape } from './shape.ts';
import type { TopologyShape } from './shape.ts';
import { nearest } from './suggest.ts';
import { tableShape } from './table-shape.ts';
import type { TableShape } from './table-shape.ts';

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

export type DraftTable = Loose<TableShape>;
export type DraftNode = Loose<NodeShape>;

export interface Draft extends Loose<Omit<TopologyShape, 'tables' | 'nodes'>> {
  readonly tables: readonly DraftTable[];
  readonly nodes: readonly DraftNode[];
}

export function draftOf(data: unknown): Draft {
  const fields = record(data);
  return {
    ...sound(topologyShape.shape, data),
    tables: list(fields['tables']).map((table) => sound(tableShape.shape, table)),
    nodes: list(fields['nodes']).map((node) => sound(nodeShape.shape, node)),
  };
}

function sound<S extends Readonly<Record<string, z.ZodType>>>(
  shape: S,
  data: unknown,
): { [K in keyof S]?: z.infer<S[K]> | undefined } {
  const fields = record(data);
  const misspelt = Object.keys(fields).flatMap((key) =>
    Object.hasOwn(shape, key) ? [] : [nearest(key, Object.keys(shape))],
  );
  const kept = Object.entries(shape)
    .filter(([key]) => Object.hasOwn(fields, key) || misspelt.includes(key))
    .map(([key, schema]) => [key, schema.safeParse(fields[key]).data] as const);
  return Object.fromEntries(kept) as { [K in keyof S]?: z.infer<S[K]> | undefined };
}

function record(data: unknown): Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
}

function list(data: unknown): readonly unknown[] {
  return Array.isArray(data) ? data : [];
}

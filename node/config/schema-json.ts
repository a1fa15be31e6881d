/** The JSON Schema of the topology file, for editors and for advice, generated from the zod schema. */
import { z } from 'zod';
import { topologyShape } from './shape.ts';

/** What is used of a JSON Schema here. */
export interface JsonSchema {
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly [keyword: string]: unknown;
}

/** Draft 7, which every editor's YAML plug-in understands. */
export function topologyJsonSchema(): JsonSchema {
  return {
    title: 'Tributary topology',
    ...z.toJSONSchema(topologyShape, { target: 'draft-7', io: 'input' }),
  } as JsonSchema;
}

/** The content of topology/tributary.schema.json. */
export function topologySchemaFile(): string {
  return `${JSON.stringify(topologyJsonSchema(), null, 2)}\n`;
}

/** The schema at a path of the document, or at the nearest place above it that has one. */
export function schemaAt(root: JsonSchema, path: readonly (string | number)[]): JsonSchema {
  let schema = root;
  for (const step of path) {
    const below =
      typeof step === 'number'
        ? schema.items
        : (schema.properties?.[step] ?? (schema.additionalProperties || undefined));
    if (below === undefined) {
      return schema;
    }
    schema = below;
  }
  return schema;
}

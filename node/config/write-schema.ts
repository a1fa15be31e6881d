/** `npm run schema`: writes topology/tributary.schema.json anew after a change of the shape. */
import { writeFile } from 'node:fs/promises';
import { topologySchemaFile } from './schema-json.ts';

await writeFile(
  new URL('../../topology/tributary.schema.json', import.meta.url),
  topologySchemaFile(),
);

/** Whether a stream may be asked for in binary form: only if every published column is of the same safe type here. */
import type { ReplicatedTable } from '../config/model.ts';
import type { Query } from './session.ts';
import { loadTarget, originColumn } from './target.ts';
import { fitsBinary, isPlainKey, isText } from './type-fit.ts';

export interface PublishedTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly typeOid: number }[];
}

/** Relations outside the set and columns that do not exist here are not stored, and do not matter. */
export async function formatFor(
  published: readonly PublishedTable[],
  tables: readonly ReplicatedTable[],
  query: Query,
): Promise<'text' | 'binary'> {
  for (const sent of published) {
    const table = tables.find((each) => each.schema === sent.schema && each.name === sent.name);
    const target = table ? await loadTarget(query, table) : null;
    if (!table || !target) {
      continue;
    }
    if (!target.key.every((name) => isPlainKey(target.columns.get(name)?.typeOid ?? 0))) {
      return 'text';
    }
    for (const { name, typeOid } of sent.columns) {
      const column = target.columns.get(name);
      const isOrigin = name === (table.origin ?? originColumn);
      if (column && (!fitsBinary(typeOid, column.typeOid) || (isOrigin && !isText(typeOid)))) {
        return 'text';
      }
    }
  }
  return 'binary';
}

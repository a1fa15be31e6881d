/** Every topic the oracle knows, after those of PostgreSQL's src/test/subscription. */
import type { Topic } from './topic.ts';
import { columnList, differentTables } from './topics/column-list.ts';
import { deleteReinsert } from './topics/delete-reinsert.ts';
import { generated } from './topics/generated.ts';
import { keyChange } from './topics/key-change.ts';
import { keys } from './topics/keys.ts';
import { names } from './topics/names.ts';
import {
  duplicates,
  existing,
  leftBehind,
  missingRow,
  refused,
  orphans,
  siblings,
} from './topics/otherwise.ts';
import { partition } from './topics/partition.ts';
import { rowFilter } from './topics/row-filter.ts';
import { sessionFormat } from './topics/session-format.ts';
import { shape } from './topics/shape.ts';
import { toast } from './topics/toast.ts';
import { transaction } from './topics/transaction.ts';
import { trigger } from './topics/trigger.ts';
import { truncate } from './topics/truncate.ts';
import { binaryTypes, builtInTypes, infiniteIntervals } from './topics/types-built-in.ts';
import { ownTypes } from './topics/types-own.ts';
import { uniqueValue } from './topics/unique-value.ts';

export const topics: readonly Topic[] = [
  builtInTypes,
  infiniteIntervals,
  ownTypes,
  keys,
  keyChange,
  uniqueValue,
  deleteReinsert,
  rowFilter,
  columnList,
  differentTables,
  toast,
  trigger,
  truncate,
  generated,
  names,
  shape,
  partition,
  transaction,
  binaryTypes,
  sessionFormat,
  missingRow,
  existing,
  orphans,
  siblings,
  duplicates,
  leftBehind,
  refused,
];

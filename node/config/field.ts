/** Kinds of values that several fields of the topology file have. */
import { z } from 'zod';

export const text = z.string().min(1);
/** Of a node, a level, a probe. */
export const name = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/);
/** Of a column or a role, as PostgreSQL's catalogue shows it. */
export const column = z.string().min(1).max(63);
export const columns = z.array(column).min(1);
export const path = z.string().regex(/^\//);

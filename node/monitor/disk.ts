/** The disk that holds this node's PostgreSQL. */
import { statfs } from 'node:fs/promises';

export interface Disk {
  readonly path: string;
  readonly totalBytes: number;
  /** What others than root may still write. */
  readonly freeBytes: number;
}

/** Null: no path is configured, or it can not be seen from here. */
export async function readDisk(path: string | null): Promise<Disk | null> {
  if (path === null) {
    return null;
  }
  try {
    const { bsize, blocks, bavail } = await statfs(path);
    return { path, totalBytes: bsize * blocks, freeBytes: bsize * bavail };
  } catch {
    return null;
  }
}

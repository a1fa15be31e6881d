/**
 * The temporary directory everything of a run lives in, and the identity servers run under. PostgreSQL refuses root:
 * as root its processes run as nobody, who owns the directory.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);

const nobody = 65_534;

export class Workshop {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<Workshop> {
    const directory = await mkdtemp(join(tmpdir(), 'tributary-poc-'));
    await give(directory);
    return new Workshop(directory);
  }

  path(...parts: readonly string[]): string {
    return join(this.directory, ...parts);
  }

  /** A directory a server may write to. */
  async folder(...parts: readonly string[]): Promise<string> {
    const path = this.path(...parts);
    await mkdir(path, { recursive: true, mode: 0o700 });
    await give(path);
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  /** For the last moment of the process, when nothing asynchronous runs any more. */
  removeSync(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
  }
}

/** Options of spawn under which a server of PostgreSQL runs. */
export function serverIdentity(): { readonly uid?: number; readonly gid?: number } {
  return isRoot() ? { uid: nobody, gid: nobody } : {};
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function give(path: string): Promise<void> {
  if (isRoot()) {
    await chown(path, nobody, nobody);
  }
}

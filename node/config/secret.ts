/**
 * Texts with `${NAME}` and `${file:PATH}` in them. They are replaced only when read, so that a node starts with its own
 * secrets and its children's alone. A secret's content never appears in an error.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { TributaryError } from '../errors.ts';
import type { Secret } from './model.ts';

export interface SecretPlace {
  /** Line in the topology file. */
  readonly line: number;
  /** Directory of the topology file: `${file:PATH}` counts from there. */
  readonly directory: string;
}

/** Either `$${` (stands for `${`) or a placeholder, whole or broken. */
const placeholder = /\$\$\{|\$\{([^}]*)(\}?)/g;
const variable = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A Secret whose template has passed `brokenPlaceholder`. */
export function secretOf(template: string, place: SecretPlace): Secret {
  return {
    template,
    line: place.line,
    read: () =>
      template.replaceAll(placeholder, (whole, name: string | undefined) =>
        name === undefined ? '${' : value(name, place) || fail(name, place, `${whole} is empty`),
      ),
  };
}

/** The first placeholder that is none, null if all can be read as `${NAME}` or `${file:PATH}`. */
export function brokenPlaceholder(template: string): string | null {
  for (const [whole, name, end] of template.matchAll(placeholder)) {
    if (name !== undefined && (end === '' || !(variable.test(name) || /^file:./.test(name)))) {
      return whole.slice(0, 40);
    }
  }
  return null;
}

/** Whether a text that is no secret holds a placeholder by mistake. */
export function hasPlaceholder(text: string): boolean {
  return text.includes('${');
}

function value(name: string, place: SecretPlace): string {
  if (!name.startsWith('file:')) {
    return process.env[name] ?? fail(name, place, 'the environment variable is not set');
  }
  try {
    return readFileSync(resolve(place.directory, name.slice('file:'.length)), 'utf8').trimEnd();
  } catch (error) {
    return fail(name, place, 'the file can not be read', error);
  }
}

function fail(name: string, place: SecretPlace, reason: string, cause?: unknown): never {
  throw new TributaryError(
    'secret_unreadable',
    { secret: name, line: place.line, reason },
    cause === undefined ? {} : { cause },
  );
}

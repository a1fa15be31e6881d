/** What zod finds wrong with the shape, said for the person who writes the file. */
import type { z } from 'zod';
import type { Problem } from './problem.ts';
import { schemaAt } from './schema-json.ts';
import type { JsonSchema } from './schema-json.ts';
import { nearest, oneOf } from './suggest.ts';
import type { Path, YamlSource } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;

export function shapeProblems(
  issues: readonly Issue[],
  source: YamlSource,
  schema: JsonSchema,
): readonly Problem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey([...path, key], source, schema));
    }
    const value = valueAt(source.data, path);
    const advice = adviceAt(schema, path);
    return [source.problem(path, complaint(issue, value), suggestion(issue, value) ?? advice)];
  });
}

function unknownKey(path: Path, source: YamlSource, schema: JsonSchema): Problem {
  const key = String(path.at(-1));
  const known = Object.keys(schemaAt(schema, path.slice(0, -1)).properties ?? {});
  const meant = nearest(key, known);
  return source.problem(
    path,
    `there is no field \`${key}\` here`,
    meant === null ? `write ${oneOf(known)}, or remove it` : `write \`${meant}\``,
  );
}

function complaint(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) {
        return 'is missing';
      }
      return value === null
        ? 'has no value'
        : `is ${kindOf(value)}, not ${kindName(issue.expected)}`;
    case 'invalid_value':
    case 'invalid_union':
      return value === undefined ? 'is missing' : 'is none of the values it can have';
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'string' ? 'is empty' : 'is too small';
    case 'too_big':
      return issue.origin === 'string' ? 'is too long' : 'is too large';
    default:
      return 'is not written as it must be';
  }
}

/** Better advice than the field's own: the allowed value nearest to the one written. */
function suggestion(issue: Issue, value: unknown): string | null {
  const values = issue.code === 'invalid_union' ? issue.errors.flat() : [issue];
  const allowed = values.flatMap((inner) =>
    inner.code === 'invalid_value' ? inner.values.map(String) : [],
  );
  const meant = typeof value === 'string' ? nearest(value, allowed) : null;
  return meant === null ? null : `write \`${meant}\``;
}

/** "write `level: region` (one of `levels`)", from the field's example and description. */
function adviceAt(schema: JsonSchema, path: Path): string {
  const key = path.findLast((step) => typeof step === 'string') ?? '';
  const inList = typeof path.at(-1) === 'number';
  const field = schemaAt(schema, inList ? path.slice(0, -1) : path);
  const [example] = field.examples ?? [];
  if (example === undefined) {
    return 'write `key: value` lines, as in topology/example.yaml';
  }
  const about = field.description === undefined ? '' : ` (${field.description})`;
  return `write, for example, \`${key}: ${flow(example)}\`${about}`;
}

/** A value as YAML on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(flow).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, inner]) => `${key}: ${flow(inner)}`);
    return `{${pairs.join(', ')}}`;
  }
  return String(value);
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    data,
  );
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) {
    return 'a list';
  }
  return kindName(typeof value);
}

function kindName(type: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a group of fields',
    record: 'a group of fields',
  };
  return names[type] ?? type;
}

/**
 * Which values of a provider's column a local column can take. Only built-in types are judged (their oids are the same
 * everywhere); what a user-defined type takes shows when a row arrives.
 */

/** Types whose text any other type can be read from. */
const textTypes: ReadonlySet<number> = new Set([18, 19, 25, 1042, 1043]);

/** Types that take any text, or refuse it with an error: a cast to "char" or name cuts what is too long, silently. */
const wholeTextTypes: ReadonlySet<number> = new Set([25, 1042, 1043]);

/** From a type to the other types that take every value of it, or refuse one with an error: never silently less. */
const takes: ReadonlyMap<number, readonly number[]> = new Map([
  [18, [19]], // "char"
  [21, [23, 20, 1700]], // smallint
  [23, [21, 20, 1700]], // integer
  [20, [21, 23, 1700]], // bigint
  [700, [701, 1700]], // real
  [701, [1700]], // double precision
  [1082, [1114, 1184]], // date
  [1114, [1184]], // timestamp
  [1184, [1114]], // timestamptz: the text is UTC on both sides
  [114, [3802]], // json
  [3802, [114]], // jsonb
  [650, [869]], // cidr
  [869, [650]], // inet
  [1560, [1562]], // bit
  [1562, [1560]], // bit varying
  [829, [774]], // macaddr
]);

const firstUserOid = 16_384;

/** A column's own type and, of a domain, the type below it. */
export interface LocalType {
  readonly typeOid: number;
  readonly baseTypeOid: number;
  readonly modifier: number;
}

export interface SentType {
  readonly typeOid: number;
  readonly typeModifier: number;
}

/**
 * Whether a local column can take what is sent. A type of the provider's own, perhaps the same domain, is judged
 * against the local type itself; a built-in one against what a local domain stands on.
 */
export function fits(sent: SentType, local: LocalType): boolean {
  const { typeOid } = sent;
  if (typeOid >= firstUserOid && local.typeOid >= firstUserOid) {
    return true;
  }
  return canTake(typeOid, local.baseTypeOid) && !rounds(sent, local);
}

const numeric = 1700;
const reals: ReadonlySet<number> = new Set([700, 701]);
const times: ReadonlySet<number> = new Set([1083, 1114, 1184, 1266]);

/** PostgreSQL rounds to the scale or precision of a column without a word, where it refuses a text that is too long. */
function rounds({ typeOid, typeModifier }: SentType, local: LocalType): boolean {
  if (local.modifier < 0) {
    return false;
  }
  if (local.baseTypeOid === numeric) {
    return (
      reals.has(typeOid) ||
      (typeOid === numeric && (typeModifier < 0 || scale(typeModifier) > scale(local.modifier)))
    );
  }
  const precision = typeModifier < 0 ? 6 : typeModifier;
  return times.has(typeOid) && times.has(local.baseTypeOid) && precision > local.modifier;
}

/** numeric_typmod_scale (src/backend/utils/adt/numeric.c): eleven bits with a sign. */
function scale(modifier: number): number {
  return (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
}

/** False where values would be lost silently or every row would fail. */
export function canTake(sentOid: number, localOid: number): boolean {
  if (sentOid === localOid || wholeTextTypes.has(localOid)) {
    return true;
  }
  if (textTypes.has(localOid)) {
    return takes.get(sentOid)?.includes(localOid) ?? false;
  }
  if (localOid >= firstUserOid || sentOid >= firstUserOid) {
    return localOid >= firstUserOid || textTypes.has(sentOid);
  }
  // The provider's text may well be a number or a date; a row that is not fails by itself.
  return textTypes.has(sentOid) || (takes.get(sentOid)?.includes(localOid) ?? false);
}

/**
 * Types whose binary form means the same on every major from 15 and which are no array: arrays can not be elements of
 * the arrays parameters travel in. Left out on purpose: oid and reg* (catalogue numbers), interval (infinity is new in
 * 17), money (locale), xml (encoding), and everything user-defined.
 */
const binaryTypes: ReadonlySet<number> = new Set([
  16, // boolean
  17, // bytea
  18, // "char"
  19, // name
  20, // bigint
  21, // smallint
  23, // integer
  25, // text
  114, // json
  600, // point
  601, // lseg
  602, // path
  603, // box
  604, // polygon
  628, // line
  650, // cidr
  700, // real
  701, // double precision
  718, // circle
  774, // macaddr8
  829, // macaddr
  869, // inet
  1042, // character
  1043, // character varying
  1082, // date
  1083, // time
  1114, // timestamp
  1184, // timestamptz
  1266, // timetz
  1560, // bit
  1562, // bit varying
  1700, // numeric
  2950, // uuid
  3220, // pg_lsn
  3802, // jsonb
]);

/** Whether a column may be sent in binary form to a local column of that type. */
export function fitsBinary(sentOid: number, localOid: number): boolean {
  return sentOid === localOid && binaryTypes.has(sentOid);
}

/** Whether the bytes of a value are its text in either format. */
export function isText(oid: number): boolean {
  return textTypes.has(oid) && oid !== 18;
}

const plainKeys: ReadonlySet<number> = new Set([20, 21, 23, 25, 1043, 2950]);

/** Whether a key's binary form can be made from its text and back without PostgreSQL: integers, text, uuid. */
export function isPlainKey(oid: number): boolean {
  return plainKeys.has(oid);
}

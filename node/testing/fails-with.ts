/** For assert.rejects: the failure is a TributaryError of that code, with these fields in its context. */
import assert from 'node:assert/strict';
import { type ErrorCode, type ErrorContext, TributaryError } from '../errors.ts';

export function failsWith(code: ErrorCode, context: ErrorContext = {}): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof TributaryError, String(error));
    assert.equal(error.code, code);
    const fields = Object.keys(context).map((name) => [name, error.context[name]]);
    assert.deepEqual(Object.fromEntries(fields), context);
    return true;
  };
}

import type { Attributes } from '@opentelemetry/api';
import { cutText } from '../core/cut-text.js';
import { Operation } from '../core/operation.js';
import { TracedWork } from '../core/work.js';
import { isResolveInfo, type FieldPath } from './document.js';

/* The semantic conventions have no attributes for fields. */
export const ATTR_FIELD_PATH = 'graphql.field.path';
/** The number of characters of a path, and of fields in it: a client can nest fields as deep as it likes. */
const MAX_PATH = 256;
const MAX_DEPTH = 32;

const OUTCOME = { followsSubjects: true };

/** Starts the work of one call of a resolver method. Filters that apply to the method run inside of it. */
export function startFieldWork(name: string, args: readonly unknown[]): TracedWork {
  return new TracedWork(Operation.start(name, { attributes: fieldAttributes(args), coversFilters: true }), OUTCOME);
}

/** Returns the attributes of a field. The arguments of a resolver are the parent, the field's arguments, the context and the field's place. */
function fieldAttributes(args: readonly unknown[]): Attributes {
  const info = args[3];
  return isResolveInfo(info) ? { [ATTR_FIELD_PATH]: pathText(info.path) } : {};
}

/** Returns the path of a field, without the indices of lists: `users.posts.title`. */
export function pathText(path: FieldPath | undefined): string {
  const keys: string[] = [];
  for (let it = path; it && keys.length < MAX_DEPTH; it = it.prev) if (typeof it.key === 'string') keys.push(it.key);
  return cutText(keys.toReversed().join('.'), MAX_PATH);
}

/** Returns the path of a field from its parts, without the indices of lists. The name of a field begins with no digit. */
export function cutPath(parts: readonly string[]): string {
  const keys = parts.filter((part) => !/^\d/.test(part));
  return cutText(keys.slice(-MAX_DEPTH).join('.'), MAX_PATH);
}

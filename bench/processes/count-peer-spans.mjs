/** Counts the spans in Sentry's envelope format: lines of JSON, where a transaction is a span with its children. */
export function countSentrySpans(body) {
  let count = 0;
  for (const line of body.toString().split('\n')) {
    if (!line.startsWith('{')) continue;
    const item = JSON.parse(line);
    if (item.type === 'transaction' && Array.isArray(item.spans)) count += 1 + item.spans.length;
  }
  return count;
}

/** Counts the spans in a body of @nestjs/observe: snapshots of requests, each with a tree of the methods below. */
export function countObserveSpans(body) {
  const { snapshots = [] } = JSON.parse(body.toString());
  return snapshots.reduce((count, { t = [] }) => count + 1 + countTrees(t), 0);
}

function countTrees(trees) {
  return trees.reduce((count, { ch = [] }) => count + 1 + countTrees(ch), 0);
}

/** Counts the spans in Datadog's format 0.4: an array of traces in MessagePack, each an array of maps. */
export function countDatadogSpans(body) {
  let at = 0;
  let count = 0;
  const traces = lengthOfArray();
  for (let trace = 0; trace < traces; trace++) {
    const spans = lengthOfArray();
    count += spans;
    for (let span = 0; span < spans; span++) skip();
  }
  return count;

  function lengthOfArray() {
    const type = body[at++];
    if ((type & 0xf0) === 0x90) return type & 0x0f;
    if (type === 0xdc) return number(2);
    if (type === 0xdd) return number(4);
    throw new Error(`MessagePack type ${type} is not an array.`);
  }

  function number(bytes) {
    const value = body.readUIntBE(at, bytes);
    at += bytes;
    return value;
  }

  // A function, because `at += number(…)` would read `at` before `number()` changes it.
  function jump(bytes) {
    at += bytes;
  }

  function skipMany(values) {
    for (let value = 0; value < values; value++) skip();
  }

  function skip() {
    const type = body[at++];
    if (type < 0x80 || type >= 0xe0) return; // small numbers
    if (type < 0x90) skipMany(2 * (type & 0x0f));
    else if (type < 0xa0) skipMany(type & 0x0f);
    else if (type < 0xc0) at += type & 0x1f;
    else if (type <= 0xc3)
      return; // nil, false, true
    else if (type <= 0xc6) jump(number(2 ** (type - 0xc4)));
    else if (type <= 0xc9) jump(number(2 ** (type - 0xc7)) + 1);
    else if (type === 0xca) at += 4;
    else if (type === 0xcb) at += 8;
    else if (type <= 0xcf) at += 2 ** (type - 0xcc);
    else if (type <= 0xd3) at += 2 ** (type - 0xd0);
    else if (type <= 0xd8) at += 1 + 2 ** (type - 0xd4);
    else if (type <= 0xdb) jump(number(2 ** (type - 0xd9)));
    else if (type <= 0xdd) skipMany(number(2 * (type - 0xdb)));
    else skipMany(2 * number(2 * (type - 0xdd)));
  }
}

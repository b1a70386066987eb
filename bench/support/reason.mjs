const ESCAPES = /\u001b\[[\d;]*m/g; // eslint-disable-line no-control-regex
const NEST_PREFIX = /^\[Nest\] .*?\[\w+\] */;

/** Returns the most meaningful line of an error. */
export function reasonOf(error) {
  const lines = error.message.split('\n').map((line) => line.replace(ESCAPES, '').trim().replace(NEST_PREFIX, ''));
  return lines.find((line) => /error/i.test(line) && !line.startsWith('at ')) ?? lines[0];
}

import process from 'node:process';

const { stderr } = process;

/** Says what is being done, over what was said before; only to somebody who watches. */
export function log(text) {
  if (stderr.isTTY) stderr.write(`\r\u001b[K${text}`);
}

export function clear() {
  if (stderr.isTTY) stderr.write('\r\u001b[K');
}

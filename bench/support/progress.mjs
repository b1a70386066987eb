import process from 'node:process';

const { stderr } = process;

/** Shows the present step in place of the one before, if the output is a terminal. */
export function log(text) {
  if (stderr.isTTY) stderr.write(`\r\u001b[K${text}`);
}

export function clear() {
  if (stderr.isTTY) stderr.write('\r\u001b[K');
}

import { Session } from 'node:inspector';

/** Returns the files of this process whose name matches. */
export function loadedScripts(pattern) {
  const session = new Session();
  const files = [];
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => files.push(params.url));
  session.post('Debugger.enable');
  session.disconnect();
  return files.filter((file) => pattern.test(file));
}

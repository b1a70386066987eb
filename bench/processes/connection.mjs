import { connect } from 'node:net';

/** The time limit for a response, in milliseconds. */
const TIME_LIMIT = 10_000;

/** A connection to a server, which sends one request at a time. It writes directly to its socket, because a client of HTTP is slower than the server. */
export class Connection {
  #rest = '';
  #isClosed = false;

  /**
   * @param {object} options `port`, `path`; `onOpen`; `onResponse`, called with true if the status is 2xx; `onError`
   */
  constructor({ onError, onOpen, onResponse, path, port }) {
    this.onResponse = onResponse;
    this.onError = onError;
    this.request = Buffer.from(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n\r\n`,
    );
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.setTimeout(TIME_LIMIT, () => onError(new Error('A request got no response.')));
    this.socket.on('connect', onOpen);
    this.socket.on('error', onError);
    this.socket.on('data', (chunk) => this.#receive(chunk));
    this.socket.on('close', () => {
      if (!this.#isClosed) onError(new Error('The server closed a connection.'));
    });
  }

  send() {
    this.socket.write(this.request);
  }

  close() {
    this.#isClosed = true;
    this.socket.destroy();
  }

  #receive(chunk) {
    const text = this.#rest + chunk.latin1Slice();
    const end = endOfResponse(text);
    if (end === -1 || end > text.length) {
      this.#rest = text;
      return;
    }
    if (end < text.length) {
      this.onError(new Error('There is more than one response to a request.'));
      return;
    }
    this.#rest = '';
    this.onResponse(text[9] === '2');
  }
}

/** Returns the index at which a response ends, or -1 if its head is not complete yet. */
function endOfResponse(text) {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return -1;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text);
  if (!length || length.index > head) throw new Error('A response has no Content-Length.');
  return head + 4 + Number(length[1]);
}

import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { mongo } from 'mongoose';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER_LENGTH = 16;

type Command = Record<string, unknown> & { readonly $db?: string };

/** A server that speaks MongoDB's protocol, as a `mongos` would. The name of a collection decides what becomes of a command. */
export interface MongoServer {
  readonly port: number;
  /** The commands that have arrived: their names and collections. */
  readonly commands: string[];
  stop(): Promise<void>;
}

export async function startMongoServer(): Promise<MongoServer> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      while (received.length >= HEADER_LENGTH && received.length >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0);
        const message = received.subarray(0, length);
        received = received.subarray(length);
        const command = readCommand(message);
        const [name = '', collection] = Object.entries(command)[0] ?? [];
        if (!/^(hello|ismaster|endSessions)$/i.test(name)) commands.push(`${name} ${String(collection)}`);
        const reply = () => socket.write(writeReply(message, answerTo(name, command)));
        if (command.$db === 'slow' || collection === 'slow') setTimeout(reply, 30);
        else reply();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    commands,
    get port() {
      return (server.address() as AddressInfo).port;
    },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function readCommand(message: Buffer): Command {
  if (message.readInt32LE(12) === OP_QUERY) {
    const name = message.indexOf(0, HEADER_LENGTH + 4);
    return mongo.BSON.deserialize(message.subarray(name + 9));
  }
  let at = HEADER_LENGTH + 4;
  const command: Command = {};
  while (at < message.length) {
    const kind = message[at++];
    const size = message.readInt32LE(at);
    if (kind === 0) Object.assign(command, mongo.BSON.deserialize(message.subarray(at, at + size)));
    at += size;
  }
  return command;
}

function writeReply(request: Buffer, document: object): Buffer {
  const body = mongo.BSON.serialize(document);
  const isQuery = request.readInt32LE(12) === OP_QUERY;
  // OP_REPLY has flags, a cursor, an offset and a count; OP_MSG has flags and the kind of its section.
  const prefix = Buffer.alloc(isQuery ? 20 : 5);
  if (isQuery) prefix.writeInt32LE(1, 16);
  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeInt32LE(HEADER_LENGTH + prefix.length + body.length, 0);
  header.writeInt32LE(request.readInt32LE(4), 8);
  header.writeInt32LE(isQuery ? OP_REPLY : OP_MSG, 12);
  return Buffer.concat([header, prefix, body]);
}

const HELLO = {
  ok: 1,
  msg: 'isdbgrid',
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 21,
};

function answerTo(name: string, command: Command): object {
  const collection = String(command[name]);
  const namespace = `${command.$db}.${collection}`;
  if (/^(hello|ismaster)$/i.test(name)) return HELLO;
  if (collection === 'forbidden') return { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: "not allowed: 'secret'" };
  if (collection === 'duplicates' && (name === 'insert' || name === 'update')) {
    const errmsg = 'E11000 duplicate key error: { name: "secret" }';
    return { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11_000, errmsg, keyValue: { name: 'secret' } }] };
  }
  switch (name) {
    case 'find':
    case 'aggregate':
      return {
        ok: 1,
        cursor: {
          id: collection === 'many' ? mongo.Long.fromNumber(42) : mongo.Long.ZERO,
          ns: namespace,
          firstBatch: [
            { _id: 1, name: 'secret', n: 1 },
            { _id: 2, name: 'secret', n: 2 },
          ],
        },
      };
    case 'getMore':
      return { ok: 1, cursor: { id: mongo.Long.ZERO, ns: namespace, nextBatch: [{ _id: 3 }] } };
    case 'listCollections':
      return {
        ok: 1,
        cursor: { id: mongo.Long.ZERO, ns: namespace, firstBatch: [{ name: 'cats', type: 'collection' }] },
      };
    case 'listIndexes':
      return { ok: 1, cursor: { id: mongo.Long.ZERO, ns: namespace, firstBatch: [] } };
    case 'findAndModify':
      return { ok: 1, value: { _id: 1 } };
    default:
      return { ok: 1, n: 1, nModified: 1 };
  }
}

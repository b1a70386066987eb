import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A reply, in the types of the protocol: text is a simple string, `null` a missing value. */
type Reply = string | number | null | Buffer | ReplyError | readonly Reply[] | ReadonlyMap<string, Reply>;

class ReplyError {
  constructor(readonly text: string) {}
}

const OK = 'OK';
const WRONG_TYPE = new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value');
const NO_SCRIPT = new ReplyError('NOSCRIPT No matching script. Please use EVAL.');
/** What a transaction answers that has a command which does not exist. */
const EXEC_ABORT = new ReplyError('EXECABORT Transaction discarded because of previous errors.');
const INFO = Buffer.from('# Server\r\nredis_version:7.0.15\r\nloading:0\r\nmaxmemory_policy:noeviction\r\n');

/** A server that speaks the protocol of Redis, versions 2 and 3. The name of a key decides what becomes of a command. */
export interface RedisServer {
  readonly port: number;
  /** The commands that have arrived. */
  readonly commands: string[];
  stop(): Promise<void>;
}

/** A stand-in for Redis, with the commands that the tests use. A key with `slow` takes 30 ms, `never` is not answered, `hang_up` ends the connection. */
export async function startRedisServer(): Promise<RedisServer> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const databases = new Map<number, Map<string, unknown>>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    serveConnection(socket, databases, commands);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    commands,
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function serveConnection(socket: Socket, databases: Map<number, Map<string, unknown>>, commands: string[]): void {
  let unread = Buffer.alloc(0);
  let version = 2;
  let database = 0;
  let transaction: { readonly commands: string[][]; isBroken: boolean } | undefined;
  /** The answers are sent in the order of the commands. */
  let previous = Promise.resolve();

  socket.on('data', (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    for (let read = readCommand(unread); read; read = readCommand(unread)) {
      unread = unread.subarray(read.length);
      const { words } = read;
      previous = previous.then(() => serve(words));
    }
  });

  async function serve(words: string[]): Promise<void> {
    commands.push(words.join(' '));
    const key = words[1] ?? '';
    if (key.includes('hang_up')) socket.destroy();
    if (key.includes('never')) await new Promise(() => {});
    if (key.includes('slow')) await new Promise((resolve) => setTimeout(resolve, 30));
    if (words[0]?.toUpperCase().startsWith('B'))
      await new Promise((resolve) => setTimeout(resolve, Number(words.at(-1)) * 1000));
    const reply = answer(words);
    if (!socket.destroyed) socket.write(encode(reply, version));
    if (words[0]?.toUpperCase() === 'QUIT') socket.end();
  }

  function answer(words: string[]): Reply {
    const name = words[0]!.toUpperCase();
    if (transaction && !['EXEC', 'DISCARD', 'MULTI'].includes(name)) {
      if (!(name in handlers)) {
        transaction.isBroken = true;
        return unknownCommand(words);
      }
      transaction.commands.push(words);
      return 'QUEUED';
    }
    switch (name) {
      case 'HELLO': {
        version = Number(words[1] ?? version);
        return new Map<string, Reply>([
          ['server', Buffer.from('redis')],
          ['version', Buffer.from('7.0.15')],
          ['proto', version],
          ['id', 1],
          ['mode', Buffer.from('standalone')],
          ['role', Buffer.from('master')],
          ['modules', []],
        ]);
      }
      case 'SELECT':
        database = Number(words[1]);
        return OK;
      case 'MULTI':
        transaction = { commands: [], isBroken: false };
        return OK;
      case 'EXEC': {
        const { commands: queued, isBroken } = transaction!;
        transaction = undefined;
        return isBroken ? EXEC_ABORT : queued.map((each) => answer(each));
      }
      default: {
        const handler = handlers[name];
        if (!databases.has(database)) databases.set(database, new Map());
        return handler ? handler(databases.get(database)!, words.slice(1)) : unknownCommand(words);
      }
    }
  }
}

const handlers: Readonly<Record<string, (keys: Map<string, unknown>, args: string[]) => Reply>> = {
  AUTH: () => OK,
  CLIENT: () => OK,
  INFO: () => INFO,
  PING: () => 'PONG',
  QUIT: () => OK,
  WATCH: () => OK,
  EVALSHA: () => NO_SCRIPT,
  EVAL: () => 1,
  BLPOP: () => null,
  BZPOPMIN: () => null,
  GET(keys, [key = '']) {
    const value = keys.get(key) ?? null;
    if (value !== null && typeof value !== 'string') return WRONG_TYPE;
    return value === null ? null : Buffer.from(value);
  },
  SET(keys, [key = '', value = '']) {
    keys.set(key, value);
    return OK;
  },
  DEL(keys, given) {
    return given.filter((key) => keys.delete(key)).length;
  },
  UNLINK(keys, given) {
    return given.filter((key) => keys.delete(key)).length;
  },
  EXISTS: (keys, given) => given.filter((key) => keys.has(key)).length,
  INCR(keys, [key = '']) {
    const value = Number(keys.get(key) ?? 0) + 1;
    keys.set(key, String(value));
    return value;
  },
  LPUSH(keys, [key = '', ...values]) {
    const list = keys.get(key) ?? [];
    if (!Array.isArray(list)) return WRONG_TYPE;
    keys.set(key, [...values, ...(list as string[])]);
    return list.length + values.length;
  },
};

function unknownCommand([name, ...args]: string[]): ReplyError {
  return new ReplyError(`ERR unknown command '${name}', with args beginning with: '${args.join("' '")}'`);
}

/** Reads the first command, a list of strings. Undefined if it is not complete. */
function readCommand(data: Buffer): { words: string[]; length: number } | undefined {
  let position = 0;
  const readNumber = (): number | undefined => {
    const end = data.indexOf('\r\n', position);
    if (end === -1) return undefined;
    const value = Number(data.toString('latin1', position + 1, end));
    position = end + 2;
    return value;
  };
  const count = readNumber();
  if (count === undefined) return undefined;
  const words: string[] = [];
  for (let i = 0; i < count; i++) {
    const length = readNumber();
    if (length === undefined || data.length < position + length + 2) return undefined;
    words.push(data.toString('utf8', position, position + length));
    position += length + 2;
  }
  return { words, length: position };
}

function encode(reply: Reply, version: number): Buffer {
  if (reply === null) return Buffer.from(version === 3 ? '_\r\n' : '$-1\r\n');
  if (typeof reply === 'string') return Buffer.from(`+${reply}\r\n`);
  if (typeof reply === 'number') return Buffer.from(`:${reply}\r\n`);
  if (reply instanceof ReplyError) return Buffer.from(`-${reply.text}\r\n`);
  if (Buffer.isBuffer(reply)) return Buffer.concat([Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from('\r\n')]);
  if (reply instanceof Map) {
    const entries = [...(reply as ReadonlyMap<string, Reply>)].flatMap(([key, value]) => [Buffer.from(key), value]);
    const start = version === 3 ? `%${entries.length / 2}` : `*${entries.length}`;
    return Buffer.concat([Buffer.from(`${start}\r\n`), ...entries.map((each) => encode(each, version))]);
  }
  const list = reply as readonly Reply[];
  return Buffer.concat([Buffer.from(`*${list.length}\r\n`), ...list.map((each) => encode(each, version))]);
}

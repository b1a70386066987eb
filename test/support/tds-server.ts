import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A server that speaks the protocol of SQL Server (TDS 7.4). The text of a request decides what becomes of it. */
export interface TdsServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** The types of packets. */
const BATCH = 0x01;
const RPC = 0x03;
const REPLY = 0x04;
const ATTENTION = 0x06;
const BULK = 0x07;
const TRANSACTION = 0x0e;
const LOGIN = 0x10;
const PRE_LOGIN = 0x12;

const HEADER_LENGTH = 8;
const END_OF_MESSAGE = 1;

/** The statuses at the end of a reply. */
const FAILED = 0x02;
const HAS_COUNT = 0x10;
const CANCELLED = 0x20;

/** The stored procedures of the server that have a number. */
const SP_PREPARE = 11;

/** The changes of the environment by the requests of the transaction manager. */
const CHANGES = new Map([
  [5, 8],
  [7, 9],
  [8, 10],
]);

/** The answer to the request for a version and for encryption: there is none. */
const PRE_LOGIN_ANSWER = Buffer.from([0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 0, 0, 0, 2]);

const DESCRIPTOR = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

export async function startTdsServer(): Promise<TdsServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    readMessages(socket, (type, message) => void answer(socket, type, message));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Calls back with each message, which is a number of packets. */
function readMessages(socket: Socket, onMessage: (type: number, message: Buffer) => void): void {
  let received = Buffer.alloc(0);
  let message: Buffer[] = [];
  socket.on('data', (data) => {
    received = Buffer.concat([received, data]);
    while (received.length >= HEADER_LENGTH && received.length >= received.readUInt16BE(2)) {
      const length = received.readUInt16BE(2);
      const packet = received.subarray(0, length);
      received = received.subarray(length);
      message.push(packet.subarray(HEADER_LENGTH));
      if ((packet[1]! & END_OF_MESSAGE) === 0) continue;
      onMessage(packet[0]!, Buffer.concat(message));
      message = [];
    }
  });
}

async function answer(socket: Socket, type: number, message: Buffer): Promise<void> {
  const text = textOf(message);
  if (text.includes('slow')) await wait(30);
  if (text.includes('hang_up')) {
    socket.destroy();
    return;
  }
  const isFailed = text.includes('duplicate');
  const answers: Record<number, () => Buffer> = {
    [PRE_LOGIN]: () => PRE_LOGIN_ANSWER,
    [LOGIN]: () => Buffer.concat([loginAcknowledged(), done(0)]),
    [BATCH]: () => Buffer.concat(isFailed ? [failure(), done(FAILED)] : [rowsOf(text), done(HAS_COUNT)]),
    [RPC]: () =>
      Buffer.concat(isFailed ? [failure(), doneProcedure(FAILED)] : [...called(message, text), doneProcedure(0)]),
    [BULK]: () => done(HAS_COUNT),
    [TRANSACTION]: () => Buffer.concat([transactionChanged(message), done(0)]),
    [ATTENTION]: () => done(CANCELLED),
  };
  const payload = answers[type]?.() ?? done(0);
  const header = Buffer.from([REPLY, END_OF_MESSAGE, 0, 0, 0, 0, 1, 0]);
  header.writeUInt16BE(HEADER_LENGTH + payload.length, 2);
  socket.write(Buffer.concat([header, payload]));
}

/** The text of a message, wherever it begins. */
function textOf(message: Buffer): string {
  return message.toString('utf16le') + message.subarray(1).toString('utf16le');
}

function rowsOf(text: string): Buffer {
  if (!/select/i.test(text)) return Buffer.alloc(0);
  const column = Buffer.concat([Buffer.from([0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0x38]), shortText('n')]);
  return Buffer.concat([column, ...[1, 2].map((n) => Buffer.from([0xd1, n, 0, 0, 0]))]);
}

function called(message: Buffer, text: string): Buffer[] {
  const at = message.readUInt32LE(0);
  const isNumbered = message.readUInt16LE(at) === 0xffff;
  if (!isNumbered || message.readUInt16LE(at + 2) !== SP_PREPARE) return [rowsOf(text), doneWithin()];
  const type = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0x26, 4, 4, 7, 0, 0, 0]);
  return [Buffer.concat([Buffer.from([0xac, 0, 0]), shortText('@handle'), type])];
}

function transactionChanged(message: Buffer): Buffer {
  const change = CHANGES.get(message.readUInt16LE(message.readUInt32LE(0)));
  if (change === undefined) return Buffer.alloc(0);
  const values = change === 8 ? [Buffer.from([8]), DESCRIPTOR, Buffer.from([0])] : [Buffer.from([0, 8]), DESCRIPTOR];
  return token(0xe3, Buffer.concat([Buffer.from([change]), ...values]));
}

function loginAcknowledged(): Buffer {
  const head = Buffer.from([1, 0x74, 0, 0, 4]);
  return token(0xad, Buffer.concat([head, shortText('SQL'), Buffer.from([16, 0, 0, 0])]));
}

function failure(): Buffer {
  const message = 'Violation of UNIQUE KEY constraint. The duplicate key value is (secret).';
  const head = Buffer.alloc(8);
  head.writeUInt32LE(2627, 0);
  head.writeUInt8(1, 4);
  head.writeUInt8(14, 5);
  head.writeUInt16LE(message.length, 6);
  const tail = Buffer.from([0, 0, 1, 0, 0, 0]);
  return token(0xaa, Buffer.concat([head, Buffer.from(message, 'utf16le'), tail]));
}

function done(status: number): Buffer {
  return Buffer.from([0xfd, status, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
}

function doneWithin(): Buffer {
  return Buffer.from([0xff, HAS_COUNT, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
}

function doneProcedure(status: number): Buffer {
  return Buffer.from([0x79, 0, 0, 0, 0, 0xfe, status, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
}

function token(type: number, content: Buffer): Buffer {
  const head = Buffer.from([type, 0, 0]);
  head.writeUInt16LE(content.length, 1);
  return Buffer.concat([head, content]);
}

function shortText(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'utf16le')]);
}

/**
 * A PostgreSQL, a MySQL and a Redis that give the same answer to every query, at once: what is measured is the driver and its tracing. Runs in
 * its own process.
 */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import process from 'node:process';
import { spin } from './spin.mjs';

/** The folder with the packages of the application. */
const require = createRequire(`${process.argv[2]}/`);
const { createConnection } = require('mysql2');

const AUTHENTICATED = [message('R', int32(0)), message('Z', Buffer.from('I'))];
// TypeORM reads the version of the server from a column of this name.
const FIELD = Buffer.concat([int16(1), text('version'), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)]);
const ROW = Buffer.concat([int16(1), int32(1), Buffer.from('1')]);
const ROWS = [message('T', FIELD), message('D', ROW), message('C', text('SELECT 1')), message('Z', Buffer.from('I'))];
const PREPARED_ROWS = Buffer.concat([message('1', Buffer.alloc(0)), message('2', Buffer.alloc(0)), ...ROWS]);
const SIMPLE_ROWS = Buffer.concat(ROWS);

const COLUMN = [
  ...['def', 's', 't', 't', 'n', 'n'].map(prefixed),
  Buffer.from([12, 33, 0, 11, 0, 0, 0, 253, 0, 0, 0, 0, 0]),
];
const TEXT_ROWS = result(prefixed('1'));
const BINARY_ROWS = result(Buffer.concat([Buffer.from([0, 0]), prefixed('1')]));
/** The answer to the preparation of a statement without columns and parameters. */
const PREPARED = Buffer.from([12, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** The answer of Redis to every command. */
const REPLY = '$1\r\n1\r\n';

const [postgres, mysql, redis] = await Promise.all([answerPostgres, answerMysql, answerRedis].map(listen));
process.on('disconnect', () => process.exit(0));
// The slower of two applications would pay for waking this process more often.
spin();
process.send({ ready: true, ports: { postgres, mysql, redis } });

/** Answers simple queries, and prepared ones when the client asks for a synchronization. */
function answerPostgres(socket) {
  let isStarted = false;
  let buffer = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (data) => {
    buffer = Buffer.concat([buffer, data]);
    if (!isStarted) {
      isStarted = true;
      buffer = buffer.subarray(buffer.readInt32BE(0));
      socket.write(Buffer.concat(AUTHENTICATED));
    }
    while (buffer.length >= 5 && buffer.length > buffer.readInt32BE(1)) {
      const type = String.fromCharCode(buffer[0]);
      buffer = buffer.subarray(1 + buffer.readInt32BE(1));
      if (type === 'Q') socket.write(SIMPLE_ROWS);
      else if (type === 'S') socket.write(PREPARED_ROWS);
      else if (type === 'X') socket.end();
    }
  });
}

function answerMysql(stream) {
  const connection = createConnection({ isServer: true, stream });
  // As a server, mysql2 does not count the packets of each command from zero.
  const startCount = () => (connection.sequenceId = 0);
  const answer = (rows) => {
    stream.write(rows);
    startCount();
  };
  connection.on('error', () => {});
  connection.on('query', () => answer(TEXT_ROWS));
  connection.on('stmt_prepare', () => answer(PREPARED));
  connection.on('stmt_execute', () => answer(BINARY_ROWS));
  connection.serverHandshake({
    protocolVersion: 10,
    serverVersion: '8.0.0',
    connectionId: 1,
    statusFlags: 2,
    characterSet: 8,
    capabilityFlags: 0xffffff ^ 0x800,
    authCallback: (_, done) => {
      done(null);
      startCount();
    },
  });
}

/** Answers each command, which begins with an asterisk: no command of the bench has another one. */
function answerRedis(socket) {
  socket.on('error', () => {});
  socket.setEncoding('latin1');
  socket.on('data', (data) => socket.write(REPLY.repeat(data.split('*').length - 1)));
}

async function listen(answer) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** The packets of a result with one row of MySQL. */
function result(row) {
  const end = Buffer.from([254, 0, 0, 2, 0]);
  const packets = [Buffer.from([1]), Buffer.concat(COLUMN), end, row, end];
  return Buffer.concat(packets.flatMap((body, index) => [Buffer.from([body.length, 0, 0, index + 1]), body]));
}

function prefixed(value) {
  return Buffer.from([value.length, ...Buffer.from(value)]);
}

function message(type, body) {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function text(value) {
  return Buffer.from(`${value}\0`);
}

function int16(value) {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value) {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

import { once } from 'node:events';
import { createConnection } from 'mysql2';
import { createServer, type AddressInfo } from 'node:net';

/** The members of a connection of mysql2's server that the types leave out. */
interface ServerConnection {
  sequenceId: number;
  readonly stream: { write(data: Buffer): void; destroy(): void };
  serverHandshake(options: object): void;
  writeOk(): void;
  writeError(error: { code: number; message: string }): void;
  writeTextResult(rows: readonly object[], columns: readonly object[], isBinary?: boolean): void;
  on(event: string, listener: (...args: never[]) => void): void;
}

const COLUMN = {
  catalog: 'def',
  schema: 'shop',
  name: 'n',
  orgName: 'n',
  table: 't',
  orgTable: 't',
  characterSet: 33,
  columnLength: 11,
  columnType: 253,
  flags: 0,
  decimals: 0,
};

/** A column of strings, in the character set utf8mb4. */
const VERSION = { ...COLUMN, name: 'version', orgName: 'version', characterSet: 45, columnType: 253 };

/** A successful answer to the preparation of a statement, which claims that it has neither columns nor parameters. */
const PREPARED = Buffer.from([12, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** A server that speaks MySQL's protocol. What a statement contains decides what becomes of it. */
export interface MysqlServer {
  readonly port: number;
  /** The statements that have arrived. */
  readonly statements: string[];
  stop(): Promise<void>;
}

export async function startMysqlServer(): Promise<MysqlServer> {
  const statements: string[] = [];
  const sockets = new Set<ServerConnection['stream']>();
  let id = 0;
  const server = createServer((stream) => {
    const connection = createConnection({ isServer: true, stream } as object) as unknown as ServerConnection;
    sockets.add(connection.stream);
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.0',
      connectionId: ++id,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff ^ 0x800,
      authCallback: (_credentials: unknown, done: (error: null) => void) => {
        done(null);
        startCount(connection);
      },
    });
    connection.on('error', () => {});
    connection.on('ping', () => {
      connection.writeOk();
      startCount(connection);
    });
    connection.on('query', (sql: string) => answer(connection, sql, false));
    // SET and PREPARE arrive here as well.
    connection.on('stmt_prepare', (sql: string) => {
      if (/^set/i.test(sql)) {
        answer(connection, sql, false);
        return;
      }
      prepared = sql;
      if (sql.includes('cannot_prepare')) fail(connection, 1064, `near 'secret' ${sql}`);
      else {
        connection.stream.write(PREPARED);
        startCount(connection);
      }
    });
    connection.on('stmt_execute', () => answer(connection, prepared, true));
  });
  let prepared = '';
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  function answer(connection: ServerConnection, sql: string, isBinary: boolean): void {
    statements.push(sql);
    if (sql.includes('duplicate')) fail(connection, 1062, "Duplicate entry 'secret' for key 'x'");
    else if (sql.includes('hang_up')) connection.stream.destroy();
    else if (sql.includes('never')) return;
    else if (sql.includes('slow')) setTimeout(() => reply(), 30);
    else reply();

    function reply(): void {
      if (/\bversion\(\)/i.test(sql)) connection.writeTextResult([{ version: '8.0.0' }], [VERSION], isBinary);
      else if (/^(select|show)/i.test(sql)) connection.writeTextResult([{ n: '1' }, { n: '2' }], [COLUMN], isBinary);
      else connection.writeOk();
      startCount(connection);
    }
  }

  return {
    statements,
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

// As a server, mysql2 does not count the packets of each command from zero.
function startCount(connection: ServerConnection): void {
  connection.sequenceId = 0;
}

function fail(connection: ServerConnection, code: number, message: string): void {
  connection.writeError({ code, message });
  startCount(connection);
}

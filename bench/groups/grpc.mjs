import { join } from 'node:path';
import process from 'node:process';
import { chooseGrpc } from '../support/choose.mjs';
import { measureSetups } from '../support/measure-setups.mjs';
import { LOAD_CORE, Worker } from '../support/process.mjs';
import { appFolder, bench } from '../support/stage.mjs';
import { ratioTable } from '../support/tables.mjs';

const CONCURRENCY = 16;

/** Measures one kind of call, on the side of the server or of the client. */
export function grpcGroup(kind, side) {
  return {
    name: `grpc-${kind}-${side}`,
    title: `gRPC, ${kind === 'stream' ? 'a stream of ten messages' : 'unary'}, the ${side}'s side`,
    firstNodeOnly: kind === 'stream',
    setups: (context) => chooseGrpc(side, kind, context),
    async open() {
      const other = await startOther(side);
      const { port } = other.readyMessage ?? {};
      const options = { protoPath: join(appFolder, 'users.proto'), target: port && `127.0.0.1:${port}` };
      const place = { app: `grpc-${side}`, options };
      return { place, work: workOf[side](other, kind), close: () => other.end() };
    },
    async run(context) {
      const { places } = context;
      return {
        side,
        kind,
        versions: places.versions({}, ['@nestjs/microservices', '@grpc/grpc-js', '@opentelemetry/sdk-trace']),
        ...(await measureSetups(context, this)),
      };
    },
    render: ratioTable,
  };
}

/** Starts the process at the other end of the calls. */
function startOther(side) {
  const script = join(bench, 'processes', side === 'server' ? 'grpc-load.mjs' : 'grpc-answer.mjs');
  return Worker.start(process.execPath, [script], { core: LOAD_CORE, saysReady: side === 'client' });
}

const workOf = {
  server: (load, kind) => async (server, milliseconds) => {
    const order = { port: server.port, kind, concurrency: CONCURRENCY, milliseconds };
    const { failed, ...counts } = await load.ask('run', order, milliseconds + 30_000);
    return { ...counts, non2xx: failed };
  },
  client: (answering, kind) => async (client, milliseconds) => {
    await answering.ask('spin');
    const order = { kind, concurrency: CONCURRENCY, milliseconds };
    const { failed, requests } = await client.ask('work', order, milliseconds + 30_000);
    await answering.ask('rest');
    return { requests, non2xx: failed, milliseconds };
  },
};

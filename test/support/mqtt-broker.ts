import { Aedes } from 'aedes';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A broker in this process that speaks MQTT 3.1.1. */
export interface MqttBroker {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startMqttBroker(): Promise<MqttBroker> {
  const aedes = await Aedes.createBroker({
    // Aedes subscribes at once, also if it is about to unsubscribe the same client from the same topic, and then forgets both.
    authorizeSubscribe: (_client, subscription, callback) => setImmediate(callback, null, subscription),
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    aedes.handle(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}

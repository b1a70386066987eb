/** A service that uses neither Nest nor nestjs-tracing. If it is traced, then by an SDK that was preloaded. */
import { createServer, get } from 'node:http';
import { json } from 'node:stream/consumers';
import {
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type Client,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { relay, relayUrl, settings, type Seen, type Senders } from './relay.js';

interface Message {
  text: string;
}

interface EchoClient extends Client {
  unary(message: Message, done: (error: Error | null, answer: Message) => void): void;
  serverStream(message: Message): AsyncIterable<Message>;
}

const { test } = loadPackageDefinition(loadSync(settings.proto)) as unknown as {
  test: { Echo: ServiceClientConstructor };
};
const echo = new test.Echo(settings.nextGrpcAddress, credentials.createInsecure()) as unknown as EchoClient;

const senders: Senders = {
  async fetch(hops) {
    return (await fetch(relayUrl(hops))).json() as Promise<Seen[]>;
  },
  'node:http': (hops) =>
    new Promise((resolve, reject) => {
      get(relayUrl(hops), (response) => resolve(json(response) as Promise<Seen[]>)).on('error', reject);
    }),
  unary: (text) =>
    new Promise((resolve, reject) => {
      echo.unary({ text }, (error, answer) => (error ? reject(error) : resolve(JSON.parse(answer.text) as Seen[])));
    }),
  async 'server stream'(text) {
    let last = '[]';
    for await (const answer of echo.serverStream({ text })) last = answer.text;
    return JSON.parse(last) as Seen[];
  },
};

const http = createServer((request, response) => {
  const hops = new URL(request.url!, 'http://localhost').searchParams.get('hops') ?? '';
  const fail = (error: unknown) => void response.writeHead(500).end(String(error));
  const answer = (seen: Seen[]) => void response.end(JSON.stringify(seen));
  void relay(hops, senders).then(answer, fail);
});

const grpc = new Server();
grpc.addService(test.Echo.service, {
  unary({ request }: ServerUnaryCall<Message, Message>, reply: sendUnaryData<Message>) {
    const answer = (seen: Seen[]) => reply(null, { text: JSON.stringify(seen) });
    void relay(request.text, senders).then(answer, (error: Error) => reply(error));
  },
  serverStream(call: ServerWritableStream<Message, Message>) {
    const answer = (seen: Seen[]) => {
      for (const text of ['[]', '[]', JSON.stringify(seen)]) call.write({ text });
      return call.end();
    };
    void relay(call.request.text, senders).then(answer, (error: Error) => call.emit('error', error));
  },
});
grpc.bindAsync(settings.grpcAddress, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  http.listen(settings.port, '127.0.0.1', () => process.stdout.write('listening\n'));
});

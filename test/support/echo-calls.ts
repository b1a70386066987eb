import {
  credentials,
  status,
  type CallOptions,
  type Client,
  type ClientOptions,
  type Metadata,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import type { Readable } from 'node:stream';
import { EchoClient } from './echo-server.js';
import type { Message } from './grpc-app.js';

/** The four kinds of calls: the methods of `test.Echo`. */
export const kinds = [
  ['unary', 'Unary'],
  ['serverStream', 'ServerStream'],
  ['clientStream', 'ClientStream'],
  ['bidi', 'Bidi'],
] as const;

export type Kind = (typeof kinds)[number][0];

/** The methods of the calls of all kinds. A call lacks the methods that its kind does not have. */
export interface AnyCall {
  on(event: string, listener: (value: never) => void): this;
  write(message: Message, sent?: () => void): boolean;
  end(): void;
  cancel(): void;
  getPeer(): string;
}

/** A call of a client by grpc-js alone. */
export interface EchoCall {
  readonly call: AnyCall;
  /** The events of the call, in order. */
  readonly events: string[];
  /** The outcome of the call: the name of the status code. */
  readonly ended: Promise<string>;
  error?: ServiceError;
  status?: StatusObject;
}

export function echoClient(address: string, options?: ClientOptions): Client {
  return new EchoClient(address, credentials.createInsecure(), options);
}

/** The methods of a client: those with a stream of requests take no message, those with one answer take a callback. */
export function echoMethods(client: Client): Record<Kind, (...args: unknown[]) => AnyCall & Readable> {
  return client as unknown as ReturnType<typeof echoMethods>;
}

/** Makes a call. A call with a stream of requests sends the message once. */
export function callEcho(
  client: Client,
  kind: Kind,
  message: Message = {},
  metadata?: Metadata,
  options?: CallOptions,
): EchoCall {
  const events: string[] = [];
  const streamsRequests = kind === 'clientStream' || kind === 'bidi';
  const streamsAnswers = kind === 'serverStream' || kind === 'bidi';
  let finish: (code: string) => void;
  const ended = new Promise<string>((resolve) => (finish = resolve));
  const told = (error: ServiceError | null, answer?: Message) => {
    events.push(error ? `callback ${error.message}` : `callback ${JSON.stringify(answer)}`);
    if (error) echo.error = error;
  };
  const call: AnyCall = echoMethods(client)[kind](
    ...(streamsRequests ? [] : [message]),
    ...(metadata ? [metadata] : []),
    ...(options || metadata ? [options ?? {}] : []),
    ...(streamsAnswers ? [] : [told]),
  );
  const echo: EchoCall = { call, events, ended };
  call.on('metadata', () => events.push('metadata'));
  call.on('data', (answer: Message) => events.push(`data ${JSON.stringify(answer)}`));
  call.on('error', (error: ServiceError) => {
    events.push(`error ${error.message}`);
    echo.error = error;
  });
  call.on('end', () => events.push('end'));
  call.on('status', (it: StatusObject) => {
    events.push(`status ${it.code}`);
    echo.status = it;
    finish(status[it.code] ?? '');
  });
  if (streamsRequests) {
    call.write(message);
    call.end();
  }
  return echo;
}

import {
  Controller,
  ForbiddenException,
  Injectable,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall, GrpcStreamMethod, RpcException } from '@nestjs/microservices';
import {
  Metadata,
  status,
  type ServerDuplexStream,
  type ServerReadableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import {
  concat,
  defer,
  from,
  ignoreElements,
  of,
  Subject,
  switchMap,
  take,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import type { Echo, Message } from './grpc-app.js';

/** Emits when a handler starts to wait. */
export const reached = new Subject<void>();
/** Ends every handler that waits. */
export const released = new Subject<void>();

const broken = (text: string) => throwError(() => new Error(text));

/** The behaviour of a handler, which the metadata of a call asks for. */
const scripts = {
  answers: () => of({ text: 'one' }),
  answersTwice: () => of({ text: 'one' }, { text: 'two' }),
  throws: () => {
    throw new Error('broke');
  },
  failsLater: () => timer(1).pipe(switchMap(() => broken('broke later'))),
  failsAfterOne: () => concat(of({ text: 'one' }), broken('broke after one')),
  refuses: ({ code = status.NOT_FOUND }) => throwError(() => new RpcException({ code, message: 'none such' })),
  loses: () => throwError(() => new RpcException({ code: status.DATA_LOSS, message: 'gone', details: 'all gone' })),
  waits: () =>
    defer(() => {
      reached.next();
      return released.pipe(take(1), ignoreElements());
    }),
} satisfies Record<string, (asked: { code?: number }) => Observable<Message>>;

export type Script = keyof typeof scripts;

function play(metadata: Metadata): Observable<Message> {
  const [script = 'waits'] = metadata.get('script') as Script[];
  const [code] = metadata.get('code');
  const begin = () => scripts[script](code === undefined ? {} : { code: Number(code) });
  return metadata.get('after').length > 0 ? concat(scripts.waits(), defer(begin)) : begin();
}

/**
 * Metadata that asks for a script, and for the behaviour of a guard. The entry `code` is for the status of `refuses`; with one
 * named `after` the handler waits before.
 */
export function ask(script: Script, guard?: keyof typeof verdicts): Metadata {
  const metadata = new Metadata();
  metadata.set('script', script);
  if (guard) metadata.set('guard', guard);
  return metadata;
}

const verdicts = {
  no: () => false,
  forbids: () => {
    throw new RpcException({ code: status.PERMISSION_DENIED, message: 'not you' });
  },
  crashes: async () => {
    await Promise.resolve();
    throw new ForbiddenException('guard broke');
  },
};

@Injectable()
export class ScriptedGuard implements CanActivate {
  canActivate(execution: ExecutionContext) {
    const rpc = execution.switchToRpc();
    // A pass-through handler gets only the call.
    const metadata = rpc.getData<{ metadata?: Metadata }>().metadata ?? rpc.getContext<Metadata>();
    const [verdict] = metadata.get('guard') as (keyof typeof verdicts)[];
    return verdict ? verdicts[verdict]() : true;
  }
}

/** Serves `test.Echo` as the metadata of each call asks for it. */
@Controller()
@UseGuards(ScriptedGuard)
export class EchoController {
  @GrpcMethod('Echo', 'Unary')
  unary(_message: Message, metadata: Metadata): Observable<Message> {
    return play(metadata);
  }
  @GrpcMethod('Echo', 'ServerStream')
  serverStream(_message: Message, metadata: Metadata): Observable<Message> {
    return play(metadata);
  }
  @GrpcStreamMethod('Echo', 'ClientStream')
  clientStream(_messages: Observable<Message>, metadata: Metadata): Observable<Message> {
    return play(metadata);
  }
  @GrpcStreamMethod('Echo', 'Bidi')
  bidi(_messages: Observable<Message>, metadata: Metadata): Observable<Message> {
    return play(metadata);
  }
}

/** Serves the calls of `test.Echo` whose caller streams, by the call of grpc-js itself. */
@Controller()
@UseGuards(ScriptedGuard)
export class PassThroughController {
  @GrpcStreamCall('Echo', 'ClientStream')
  clientStream(call: ServerReadableStream<Message, Message>, callback: sendUnaryData<Message>): void {
    call.resume();
    play(call.metadata).subscribe({
      next: (message) => callback(null, message),
      error: (error: RpcException | Error) => callback(asServiceError(error)),
    });
  }
  @GrpcStreamCall('Echo', 'Bidi')
  bidi(call: ServerDuplexStream<Message, Message>): void {
    call.resume();
    play(call.metadata).subscribe({
      next: (message) => call.write(message),
      error: (error: RpcException | Error) => call.emit('error', asServiceError(error)),
      complete: () => call.end(),
    });
  }
}

function asServiceError(error: RpcException | Error): Error {
  return Object.assign(new Error(error.message), error instanceof RpcException && (error.getError() as object));
}

const messages = () => from([{ text: 'a' }, { text: 'b' }]);

/** A call of each type, with metadata or with options. Nest's client passes on either as the only argument after the message. */
export const calls = {
  unary: (echo, given) => echo.unary({}, given as Metadata),
  serverStream: (echo, given) => echo.serverStream({}, given as Metadata),
  clientStream: (echo, given) => echo.clientStream(messages(), given as Metadata),
  bidi: (echo, given) => echo.bidi(messages(), given as Metadata),
} satisfies Record<string, (echo: Echo, given: Metadata | { deadline: number }) => Observable<Message>>;

export type CallType = keyof typeof calls;

export const callTypes = [['unary'], ['serverStream'], ['clientStream'], ['bidi']] as const satisfies [CallType][];

/** `test.Echo/ServerStream`. */
export function methodOf(type: CallType): string {
  return `test.Echo/${type[0]!.toUpperCase()}${type.slice(1)}`;
}

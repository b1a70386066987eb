import { describe } from '@jest/globals';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod, type ClientGrpc } from '@nestjs/microservices';
import { Metadata } from '@grpc/grpc-js';
import { firstValueFrom } from 'rxjs';
import { contextHeaders, w3cCases } from '../support/context-cases.js';
import { testContextPropagation, type ContextSuiteOptions } from '../support/context-suite.js';
import { ECHO_CLIENT, startGrpcApp, type Echo, type Message } from '../support/grpc-app.js';

@Controller()
class RelayController {
  private readonly next: Echo;
  constructor(@Inject(ECHO_CLIENT) client: ClientGrpc) {
    this.next = client.getService<Echo>('Echo');
  }

  /** Answers with the metadata that the next service received. This service is the next service as well. */
  @GrpcMethod('Echo', 'Unary')
  async relay(_message: Message, metadata: Metadata): Promise<Message> {
    if (metadata.get('x-next').length > 0) return { text: JSON.stringify(contextHeaders(metadata.getMap())) };
    const onward = new Metadata();
    onward.set('x-next', '1');
    return firstValueFrom(this.next.unary({}, onward));
  }
}

const start: ContextSuiteOptions['start'] = async (tracing) => {
  const { plain, traces, close } = await startGrpcApp({ controllers: [RelayController], tracing });
  return {
    traces,
    close,
    async relay(headers) {
      const metadata = new Metadata();
      for (const [name, value] of headers) metadata.add(name, value);
      const { text = '' } = await firstValueFrom(plain.unary({}, metadata));
      return JSON.parse(text) as Record<string, unknown>;
    },
  };
};

describe('context in gRPC metadata', () => {
  testContextPropagation({
    start,
    // Two servers, two handlers, and the client between them.
    spanCount: 5,
    w3cCases: w3cCases.filter(({ onlyHttp1 }) => !onlyHttp1),
  });
});

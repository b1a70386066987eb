/** Packages that examples import and that are not installed here, with the parts that the examples use. */

declare module 'serverless-http' {
  export default function serverlessHttp(app: unknown): (event: object, context: object) => Promise<object>;
}

declare module 'nestjs-otel' {
  import type { DynamicModule } from '@nestjs/common';
  import type { Attributes, Span as ApiSpan } from '@opentelemetry/api';

  export const OpenTelemetryModule: { forRoot(options: { metrics: { hostMetrics: boolean } }): DynamicModule };
  export class TraceService {
    getSpan(): ApiSpan | undefined;
  }
  export function Span<Args extends unknown[]>(
    name: string,
    options: (...args: Args) => { attributes: Attributes },
  ): MethodDecorator;
}

declare module '@opentelemetry/auto-instrumentations-node' {
  import type { Instrumentation } from '@opentelemetry/instrumentation';

  export function getNodeAutoInstrumentations(): Instrumentation[];
}

declare module '@opentelemetry/instrumentation-aws-sdk' {
  import type { Instrumentation } from '@opentelemetry/instrumentation';

  export const AwsInstrumentation: new () => Instrumentation;
}

import { context, ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { callInContext } from '../core/context-manager.js';
import { useExceptionSignal } from '../core/exception-signal.js';
import type { LogLine } from '../core/log-line.js';
import { publicAddress } from '../core/public-address.js';
import { outsideOfRequests } from '../core/suppression.js';
import type { ExportSettings } from '../export/batch-exporter.js';
import { LOG_RECORDS } from '../export/exported-kind.js';
import { LogRecordProcessor } from '../export/log-record-processor.js';
import { createLogTransport } from '../export/otlp/otlp-transport.js';
import type { LogSerializers } from '../export/otlp/log-encoder.js';
import type { ResolvedLogs } from '../options/logs.js';
import type { ResolvedOtlpExporter } from '../options/otlp-signal.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { logValue } from './log-value.js';
import { loadFromSdk } from './packages.js';
import type { Resource } from './resource.js';

/** A log record of OpenTelemetry's API, as far as the library fills it. */
interface LogRecord {
  readonly eventName?: string;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: unknown;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly context?: Context;
}

interface ApiLogger {
  emit(record: LogRecord): void;
  enabled?(...args: readonly unknown[]): boolean;
}

interface LoggerProvider {
  getLogger(...args: readonly unknown[]): ApiLogger;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

interface SdkLogs {
  readonly LoggerProvider: new (config: object) => LoggerProvider;
}

interface ApiLogs {
  readonly logs: {
    getLoggerProvider(): Pick<LoggerProvider, 'getLogger'>;
    setGlobalLoggerProvider(provider: Pick<LoggerProvider, 'getLogger'>): Pick<LoggerProvider, 'getLogger'>;
    disable(): void;
  };
}

/** The severity number of an error in OpenTelemetry's log data model. */
const ERROR = 17;

/** The log records on their way to a receiver: a provider of the SDK, with a processor of the library. */
export class LogPipeline {
  private readonly provider: LoggerProvider;
  private readonly processor: LogRecordProcessor;
  private logger: ApiLogger;

  constructor(
    private readonly resolved: ResolvedLogs,
    exporter: ResolvedOtlpExporter,
    resource: Resource,
    settings: ExportSettings,
  ) {
    const { LoggerProvider } = loadFromSdk<SdkLogs>('@opentelemetry/sdk-logs');
    const serializers = loadFromSdk<LogSerializers>(
      '@opentelemetry/otlp-transformer',
      '@opentelemetry/exporter-logs-otlp-proto',
    );
    const transport = createLogTransport(exporter, serializers);
    this.processor = new LogRecordProcessor(transport, publicAddress(exporter.url), settings, LOG_RECORDS);
    this.provider = new LoggerProvider({ resource, processors: [this.processor] });
    this.logger = loggerOf(this.provider);
  }

  /** Registers the provider with OpenTelemetry's API, unless another one is registered: that one then takes the records. */
  register(): () => void {
    const { logs } = loadFromSdk<ApiLogs>('@opentelemetry/api-logs');
    const own = { getLogger: (...args: readonly unknown[]) => detached(this.provider.getLogger(...args)) };
    const registered = logs.setGlobalLoggerProvider(own);
    if (registered !== own) this.logger = loggerOf(registered);
    const restoreEvents = this.sendExceptions();
    return () => {
      restoreEvents();
      if (logs.getLoggerProvider() === own) logs.disable();
    };
  }

  private sendExceptions(): () => void {
    const { exceptions } = this.resolved;
    if (exceptions === 'events') return () => {};
    return useExceptionSignal({
      keepsEvents: exceptions === 'logs/dup',
      emit: (span, attributes) =>
        this.logger.emit({
          eventName: 'exception',
          severityNumber: ERROR,
          severityText: 'error',
          attributes,
          context: trace.setSpan(ROOT_CONTEXT, span),
        }),
    });
  }

  emit({ attributes, body, severityNumber, severityText, spanContext }: LogLine): void {
    const withheld = IncomingOperation.active()?.withheldErrors;
    this.logger.emit({
      ...(severityNumber !== undefined && { severityNumber }),
      severityText,
      ...(body !== undefined && { body: logValue(body, withheld) }),
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [name, logValue(value, withheld)]),
      ),
      ...(spanContext && { context: trace.setSpanContext(context.active(), spanContext) }),
    });
  }

  /** The log records that wait or are under way, and the count of those that are not. */
  get queue(): LogRecordProcessor['queue'] {
    return this.processor.queue;
  }

  forceFlush(): Promise<void> {
    return this.processor.forceFlush();
  }

  /** The last export before the process ends. */
  flushBeforeExit(): Promise<void> {
    return this.processor.flushBeforeExit();
  }

  shutdown(): Promise<void> {
    return this.provider.shutdown();
  }
}

function loggerOf(provider: Pick<LoggerProvider, 'getLogger'>): ApiLogger {
  return detached(provider.getLogger('nestjs-tracing'));
}

/** A logger whose timers and connections belong to no request: they must not keep the context of the one that has written a record. */
function detached(logger: ApiLogger): ApiLogger {
  return {
    emit(record) {
      const active = record.context ?? context.active();
      callInContext(outsideOfRequests(), () => logger.emit({ ...record, context: active }), undefined, []);
    },
    enabled: (...args) => logger.enabled?.(...args) ?? true,
  };
}

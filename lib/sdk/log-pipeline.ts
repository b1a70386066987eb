import { context, ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { callInContext } from '../core/context-manager.js';
import { warn } from '../core/diagnostics.js';
import { useExceptionSignal } from '../core/exception-signal.js';
import type { LogLine } from '../core/log-line.js';
import { publicAddress } from '../core/public-address.js';
import { describeFailure } from '../export/export-failure.js';
import { UNTRACED } from '../export/export-processor.js';
import { createLogExporter } from '../export/otlp/otlp-transport.js';
import type { LogSerializers } from '../export/otlp/log-encoder.js';
import type { OtlpExporter } from '../export/otlp/otlp-exporter.js';
import type { ResolvedBatch } from '../options/batch.js';
import type { ResolvedLogs } from '../options/logs.js';
import type { ResolvedOtlpExporter } from '../options/otlp-signal.js';
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
  readonly BatchLogRecordProcessor: new (config: object) => object;
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

/** The log records on their way to a receiver: a provider of the SDK with a batch processor, and an exporter of the library. */
export class LogPipeline {
  private readonly provider: LoggerProvider;
  private readonly exporter: OtlpExporter<object>;
  private logger: ApiLogger;

  constructor(
    private readonly resolved: ResolvedLogs,
    exporter: ResolvedOtlpExporter,
    resource: Resource,
    batch: ResolvedBatch,
  ) {
    const { BatchLogRecordProcessor, LoggerProvider } = loadFromSdk<SdkLogs>('@opentelemetry/sdk-logs');
    const serializers = loadFromSdk<LogSerializers<object>>(
      '@opentelemetry/otlp-transformer',
      '@opentelemetry/exporter-logs-otlp-proto',
    );
    this.exporter = createLogExporter(exporter, serializers);
    const processor = new BatchLogRecordProcessor({
      exporter: reporting(this.exporter, publicAddress(exporter.url)),
      maxQueueSize: batch.maxQueueSize,
      maxExportBatchSize: batch.maxExportBatchSize,
      scheduledDelayMillis: batch.scheduledDelay,
      exportTimeoutMillis: batch.exportTimeout,
    });
    this.provider = new LoggerProvider({ resource, processors: [processor] });
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
    this.logger.emit({
      ...(severityNumber !== undefined && { severityNumber }),
      severityText,
      ...(body !== undefined && { body: logValue(body) }),
      attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, logValue(value)])),
      ...(spanContext && { context: trace.setSpanContext(context.active(), spanContext) }),
    });
  }

  forceFlush(): Promise<void> {
    return this.provider.forceFlush();
  }

  /** Makes no further attempts for what fails from now on. */
  stopRetrying(): void {
    this.exporter.stopRetrying();
  }

  shutdown(): Promise<void> {
    this.stopRetrying();
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
      callInContext(UNTRACED, () => logger.emit({ ...record, context: active }), undefined, []);
    },
    enabled: (...args) => logger.enabled?.(...args) ?? true,
  };
}

/** An exporter that also warns of what is lost: the SDK reports that to `diag` only, which is silent by default. */
function reporting(exporter: OtlpExporter<object>, destination: string): object {
  return {
    export(records: readonly object[], done: (result: { code: number; error?: Error }) => void) {
      exporter.export(records, (result) => {
        const lost = result.rejected ?? (result.code === 0 ? 0 : records.length);
        if (lost > 0) {
          warn(
            `logs:${destination}`,
            `${lost} log records are lost: the export to ${destination} failed (${describeFailure(result.error)}).`,
          );
        }
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

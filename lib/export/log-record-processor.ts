import { BatchExporter } from './batch-exporter.js';
import type { ReadableLogRecord, WaitingLogRecord } from './otlp/log-encoder.js';

/** Takes log records to one receiver. It works as a log record processor of the SDK. */
export class LogRecordProcessor extends BatchExporter<WaitingLogRecord, ReadableLogRecord> {
  onEmit(record: ReadableLogRecord): void {
    this.accept(record);
  }
}

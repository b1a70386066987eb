import type { Project } from '../project.js';

/** What a logger needs for the trace in its lines and for their export, by the packages that use it. */
const LOGGERS = [
  {
    packages: ['pino', 'nestjs-pino'],
    instrumentation: 'PinoInstrumentation',
    remedy: 'pino the option mixin: traceLogFields',
  },
  {
    packages: ['winston', 'nest-winston'],
    instrumentation: 'WinstonInstrumentation',
    remedy: 'winston the option defaultMeta: traceLogMeta(), and new LogExportTransport() among its transports',
  },
];

/**
 * Lists what has to be set up again where an SDK is removed. By default, `NodeSDK` also exports metrics, and the log records of
 * instrumentations.
 *
 * @param code the file that has set the SDK up; undefined if it was auto-instrumentation alone
 */
export function askForOtherSignals(project: Project, dependencies: readonly string[], code?: string): void {
  const isAutomatic = code === undefined || code.includes('getNodeAutoInstrumentations');
  const loggers = LOGGERS.filter(
    ({ instrumentation, packages }) =>
      (isAutomatic || code.includes(instrumentation)) && packages.some((name) => dependencies.includes(name)),
  );
  if (loggers.length > 0) {
    const names = loggers.flatMap(({ packages }) => packages.filter((name) => dependencies.includes(name)));
    const remedies = loggers.map(({ remedy }) => remedy).join('; ');
    project.ask(
      `The instrumentation of ${names.join(', ')} has added the trace to log lines, and may have exported them. Give ${remedies}; and TracingModule the option logs: { export: true }, if they are to be exported. See docs/logs.md.`,
    );
  }
  project.ask(
    'NodeSDK exports metrics as well, unless OTEL_METRICS_EXPORTER is none. If you use them, see "Metrics" in docs/migrating.md.',
  );
}

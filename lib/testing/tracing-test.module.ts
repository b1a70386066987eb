import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { TracingConfigurationError } from '../tracing.errors.js';
import { TracingModule } from '../tracing.module.js';
import { OPTIONS_OVERRIDE } from '../tracing.override.js';
import { DISABLED_RUNTIME, TRACING_RUNTIME } from '../tracing.runtime.js';
import { TracingService } from '../tracing.service.js';
import { disableTracing, recordTo } from './override-options.js';
import { stopRecording } from './recording-processor.js';
import { recognizeRequestsTo } from './test-requests.js';
import { partsOf, TraceRecorder, type RecorderParts, type TraceRecorderOptions } from './trace-recorder.js';

const RECORDER_PARTS = 'nestjs-tracing:recorder-parts';

/**
 * The module of a test. Imported as it is, it provides `TracingService` to what is tested, and traces nothing. If the application under test
 * imports `TracingModule`, that one does nothing either.
 *
 * @example
 * ```ts
 * Test.createTestingModule({ imports: [TracingTestModule], providers: [CatsService] })
 * ```
 */
@Global()
@Module({
  providers: [
    { provide: OPTIONS_OVERRIDE, useValue: disableTracing },
    { provide: TRACING_RUNTIME, useValue: DISABLED_RUNTIME },
    TracingService,
  ],
  exports: [OPTIONS_OVERRIDE, TracingService],
})
export class TracingTestModule {
  /**
   * Records the spans of the application under test, in place of exporting them. The application imports `TracingModule` as ever, and its
   * options say what is traced.
   *
   * @param recorder a recorder, which several applications may share, or the options of a new one. `app.get(TraceRecorder)` returns it.
   *
   * @example
   * ```ts
   * Test.createTestingModule({ imports: [AppModule, TracingTestModule.record()] })
   * ```
   */
  static record(recorder: TraceRecorder | TraceRecorderOptions = {}): DynamicModule {
    const used = recorder instanceof TraceRecorder ? recorder : new TraceRecorder(recorder);
    const parts = partsOf(used) as RecorderParts;
    return {
      module: TraceRecorderModule,
      global: true,
      providers: [
        { provide: TraceRecorder, useValue: used },
        { provide: RECORDER_PARTS, useValue: parts },
        { provide: OPTIONS_OVERRIDE, useValue: recordTo(parts) },
      ],
      exports: [TraceRecorder, OPTIONS_OVERRIDE],
    };
  }
}

/** Records the spans of one application. */
@Module({})
class TraceRecorderModule implements OnApplicationShutdown {
  private readonly stopRecognizing: () => void;

  constructor(
    @Inject(RECORDER_PARTS) private readonly parts: RecorderParts,
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(HttpAdapterHost) adapterHost: HttpAdapterHost,
  ) {
    const all = [...modules.values()];
    if (!all.some(({ metatype }) => metatype === TracingModule)) throw notTraced();
    this.stopRecognizing = recognizeRequestsTo(adapterHost);
    // Spans that other modules start while they shut down are recorded as well: the hooks of the farthest module run last.
    for (const module of all) if (module.metatype === TraceRecorderModule) module.distance = Infinity;
  }

  onApplicationShutdown(): void {
    this.stopRecognizing();
    stopRecording(this.parts.store);
  }
}

function notTraced(): TracingConfigurationError {
  const fix =
    'There is no TracingModule whose spans could be recorded. Import the module of the application that imports TracingModule.forRoot(), or TracingModule.forRoot() itself.';
  return new TracingConfigurationError('imports', TracingTestModule, fix);
}

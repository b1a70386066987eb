import { describe, expect, it } from '@jest/globals';
import { migrate } from '../../../lib/set-up/migrate.js';
import { MemoryTree } from '../../support/memory-tree.js';

const MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(3000);
}
bootstrap();
`;
const MODULE = `import { Module } from '@nestjs/common';

@Module({ imports: [] })
export class AppModule {}
`;
const START_FILE = `import { B3Propagator } from '@opentelemetry/propagator-b3';
import { CompositePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';

const traceExporter = new OTLPTraceExporter({
  url: process.env.COLLECTOR + '/v1/traces',
  headers: { 'x-api-key': process.env.API_KEY ?? '' },
});
const sdk = new NodeSDK({
  serviceName: 'orders',
  traceExporter,
  sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) }),
  textMapPropagator: new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new B3Propagator()] }),
  instrumentations: [new HttpInstrumentation()],
});
sdk.start();
process.on('SIGTERM', () => sdk.shutdown());
`;
const PROJECT = {
  'package.json': JSON.stringify(
    { name: 'orders', scripts: {}, dependencies: { '@nestjs/core': '^12' } },
    undefined,
    2,
  ),
  'src/main.ts': MAIN,
  'src/app.module.ts': MODULE,
};

function run(files: Record<string, string>, options: Parameters<typeof migrate>[0] = {}): MemoryTree {
  const tree = new MemoryTree(files);
  migrate({ sourceRoot: 'src', ...options })(tree, tree.context);
  return tree;
}

/** The warnings and the file after a migration of a service that uses nestjs-otel. */
function migrateService(text: string): { text: string | undefined; asked: string } {
  const tree = run({ ...PROJECT, 'src/books.service.ts': text });
  return { text: tree.text('src/books.service.ts'), asked: tree.warnings.join() };
}

describe('migrating from nestjs-otel', () => {
  it('renames the module and the service, and keeps the decorators', () => {
    const { asked, text } = migrateService(`import { Span, TraceService } from 'nestjs-otel';

@Injectable()
export class BooksService {
  constructor(private readonly traces: TraceService) {}

  @Span('find book', (id: string) => ({ attributes: { 'book.id': id } }))
  async find(id: string) {
    this.traces.getSpan()?.addEvent('looked up');
    const span = this.traces.startSpan('load');
    span.end();
    return this.books.get(id);
  }
}
`);
    expect(text).toBe(`import { Span, TracingService } from 'nestjs-tracing';

@Injectable()
export class BooksService {
  constructor(private readonly traces: TracingService) {}

  @Span('find book', (id: string) => ({ 'book.id': id }))
  async find(id: string) {
    this.traces.activeSpan?.addEvent('looked up');
    const span = this.traces.startSpan('load');
    span.end();
    return this.books.get(id);
  }
}
`);
    expect(asked).toBe('');
  });

  it.each([
    ['@Span((id) => ({ attributes: { id } }))', '@Span((id) => ({ id }))'],
    ['@Span((id) => ({ attributes: attributesOf(id) }))', '@Span((id) => (attributesOf(id)))'],
    [
      "@Span('x', function (attributes) { return { attributes }; })",
      "@Span('x', function (attributes) { return attributes; })",
    ],
    [
      '@Span({ onResult: (book) => ({ attributes: { pages: book.pages } }) })',
      '@Span({ onResult: (book) => ({ pages: book.pages }) })',
    ],
    [
      "@Span('x', { kind: SpanKind.CLIENT, attributes: { a: 1 } })",
      "@Span('x', { kind: SpanKind.CLIENT, attributes: { a: 1 } })",
    ],
  ])('unwraps attributes: %s', (before, after) => {
    const service = (decorator: string, from: string) =>
      `import { Span } from '${from}';\nclass A {\n  ${decorator}\n  b() {}\n}\n`;
    const { asked, text } = migrateService(service(before, 'nestjs-otel'));
    expect(text).toBe(service(after, 'nestjs-tracing'));
    expect(asked).toBe('');
  });

  it.each([
    ['(id) => ({ attributes: { id } })', 'id: number', '(id: number) => ({ id })'],
    ['id => ({ attributes: { id } })', 'id: number', '(id: number) => ({ id })'],
    ['async id => ({ attributes: { id } })', 'id: number', 'async (id: number) => ({ id })'],
    [
      '(id, page) => ({ attributes: { id, page } })',
      'id: string, page?: number',
      '(id: string, page: number | undefined) => ({ id, page })',
    ],
    ['({ id }) => ({ attributes: { id } })', '@Dto() order: Order', '({ id }: Order) => ({ id })'],
    ['(id: string) => ({ attributes: { id } })', 'id: number', '(id: string) => ({ id })'],
    ['(id) => ({ attributes: { id } })', 'id', '(id) => ({ id })'],
    ['(...ids) => ({ attributes: { ids } })', '...ids: string[]', '(...ids) => ({ ids })'],
  ])('gives the parameters the types of the method: %s', (before, parameters, after) => {
    const service = (given: string, from: string) =>
      `import { Span } from '${from}';\nclass A {\n  @Span('x', ${given})\n  b(${parameters}) {}\n}\n`;
    expect(migrateService(service(before, 'nestjs-otel')).text).toBe(service(after, 'nestjs-tracing'));
  });

  it('names no type parameter in a decorator', () => {
    const { text } = migrateService(`import { Span } from 'nestjs-otel';
class A<T> {
  @Span((id) => ({ attributes: { id } }))
  b(id: T) {}
}
class B {
  @Span((id) => ({ attributes: { id } }))
  b<T>(id: T) {}
}
`);
    expect(text?.match(/\(id\) => \(\{ id \}\)/g)).toHaveLength(2);
  });

  it.each([
    '@Span((id) => ({ attributes: { id }, kind: SpanKind.CLIENT }))',
    '@Span((id) => optionsOf(id))',
    '@Span((id) => { log(id); return { attributes: { id } }; })',
    '@Span({ onResult })',
  ])('leaves to a person: %s', (decorator) => {
    const { asked, text } = migrateService(
      `import { Span } from 'nestjs-otel';\nclass A {\n  ${decorator}\n  b() {}\n}\n`,
    );
    expect(text).toContain(decorator);
    expect(asked).toMatch(/src\/books\.service\.ts:3: @Span\(\) of nestjs-tracing takes the attributes/);
  });

  it('keeps names that an import gives', () => {
    const { text } = migrateService(
      "import { TraceService as Traces, type Span } from 'nestjs-otel';\nexport const used = [Traces];\n",
    );
    expect(text).toBe(
      "import { TracingService as Traces, type Span } from 'nestjs-tracing';\nexport const used = [Traces];\n",
    );
  });

  it('tells of calls that have no counterpart', () => {
    const { asked } = migrateService(`import { Baggage, TraceService } from 'nestjs-otel';
class A {
  constructor(private traces: TraceService) {}
  b(@Baggage() all: unknown) { return this.traces.getTracer(); }
}
`);
    expect(asked).toContain('src/books.service.ts:4: TracingService has no getTracer()');
  });

  it('replaces the module with its options', () => {
    const module = `import { Module } from '@nestjs/common';
import { OpenTelemetryModule } from 'nestjs-otel';

const tracing = OpenTelemetryModule.forRoot({ metrics: { hostMetrics: true } });

@Module({ imports: [tracing], exports: [OpenTelemetryModule] })
export class AppModule {}
`;
    const tree = run({
      ...PROJECT,
      'package.json': '{ "dependencies": { "nestjs-otel": "8" } }',
      'src/app.module.ts': module,
    });
    expect(tree.text('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { TracingModule } from 'nestjs-tracing';

const tracing = TracingModule.forRoot();

@Module({ imports: [tracing], exports: [TracingModule] })
export class AppModule {}
`);
    expect(tree.text('src/main.ts')).toContain('app.enableShutdownHooks();');
    expect(tree.warnings.join()).toContain(
      'the options of OpenTelemetryModule were removed, which set up metrics: { metrics: { hostMetrics: true } }',
    );
    expect(tree.warnings.join()).toContain('npm uninstall nestjs-otel');
  });

  it('does not import the module twice', () => {
    const module = MODULE.replace(
      'imports: []',
      'imports: [TracingModule.forRoot(), OpenTelemetryModule.forRoot()]',
    ).replace(
      '\n\n',
      "\nimport { TracingModule } from 'nestjs-tracing';\nimport { OpenTelemetryModule } from 'nestjs-otel';\n\n",
    );
    const tree = run({ ...PROJECT, 'src/app.module.ts': module });
    expect(tree.text('src/app.module.ts')).toBe(module);
    expect(tree.warnings.join()).toContain('Remove OpenTelemetryModule where it is left');
  });

  it('keeps the module where its metrics are used', () => {
    const module = MODULE.replace('imports: []', 'imports: [OpenTelemetryModule.forRoot()]').replace(
      '\n\n',
      "\nimport { MetricService, OpenTelemetryModule, Span } from 'nestjs-otel';\n\n",
    );
    const tree = run({ ...PROJECT, 'src/app.module.ts': module });
    const text = tree.text('src/app.module.ts');
    expect(text).toContain("import { MetricService, OpenTelemetryModule } from 'nestjs-otel';");
    expect(text).toContain('import { Span, TracingModule } from');
    expect(text).toContain('imports: [TracingModule.forRoot(), OpenTelemetryModule.forRoot()]');
    expect(tree.warnings.join()).toContain('OpenTelemetryModule is kept for MetricService');
  });
});

describe('migrating from a preload', () => {
  it('moves the options into the module, and removes the file, its imports and its flags', () => {
    const tree = run({
      ...PROJECT,
      'package.json': `{
    "name": "orders",
    "scripts": {
        "start": "node --import ./dist/tracing.js dist/main",
        "start:dev": "NODE_OPTIONS=\\"--require=./dist/tracing.js\\" nest start -r dotenv/config",
        "start:prod": "node -r ./dist/tracing -r source-map-support/register dist/main"
    }
}
`,
      'src/tracing.ts': START_FILE,
      'src/main.ts': `import './tracing';\n${MAIN}`,
    });
    expect(tree.text('src/tracing.ts')).toBeUndefined();
    expect(tree.text('src/main.ts')).toBe(
      MAIN.replace('(AppModule);\n', '(AppModule);\n  app.enableShutdownHooks();\n'),
    );
    expect(tree.text('src/app.module.ts')).toContain(
      "TracingModule.forRoot({ serviceName: 'orders', exporter: { type: 'otlp', endpoint: process.env.COLLECTOR + '/v1/traces', headers: { 'x-api-key': process.env.API_KEY ?? '' } }, sampler: { ratio: 0.1 }, propagators: ['tracecontext', 'b3'] })",
    );
    expect(tree.text('package.json')).toBe(`{
    "name": "orders",
    "scripts": {
        "start": "node dist/main",
        "start:dev": "nest start -r dotenv/config",
        "start:prod": "node -r source-map-support/register dist/main"
    }
}
`);
    expect(tree.warnings).toEqual([
      expect.stringMatching(
        /^Look at these yourself:\n- NodeSDK exports metrics as well, unless OTEL_METRICS_EXPORTER is none\..*$/,
      ),
    ]);
  });

  it('writes the options with the quotes of the file', () => {
    const tree = run({ ...PROJECT, 'src/tracing.ts': START_FILE, 'src/app.module.ts': MODULE.replaceAll("'", '"') });
    expect(tree.text('src/app.module.ts')).toContain('sampler: { ratio: 0.1 }, propagators: ["tracecontext", "b3"] })');
    expect(tree.text('src/app.module.ts')).not.toContain("'");
  });

  it('changes nothing when it runs again', () => {
    const tree = run({ ...PROJECT, 'src/tracing.ts': START_FILE, 'src/main.ts': `import './tracing';\n${MAIN}` });
    const before = new Map(tree.files);
    migrate({ sourceRoot: 'src' })(tree, tree.context);
    expect(tree.files).toEqual(before);
    expect(tree.infos).toContain('Neither nestjs-otel nor a file that starts NodeSDK was found.');
  });

  it('removes the start of an SDK that another file exports', () => {
    const tree = run({
      ...PROJECT,
      'src/tracing.ts':
        "import { NodeSDK } from '@opentelemetry/sdk-node';\nconst otelSDK = new NodeSDK({});\nexport default otelSDK;\n",
      'src/main.ts': MAIN.replace('async function', "import otelSDK from './tracing';\nasync function").replace(
        '  const app',
        '  await otelSDK.start();\n  const app',
      ),
    });
    expect(tree.text('src/tracing.ts')).toBeUndefined();
    expect(tree.text('src/main.ts')).toBe(
      MAIN.replace('(AppModule);\n', '(AppModule);\n  app.enableShutdownHooks();\n'),
    );
  });

  it.each([
    ['metrics', 'metricReader: reader', 'metricReader: reader'],
    ['another exporter', 'traceExporter: new ZipkinExporter()', 'traceExporter: new ZipkinExporter()'],
    ['an address without the path', "traceExporter: new OTLPTraceExporter({ url: 'http://a:4318' })", 'traceExporter'],
    ['a name of the file', 'serviceName: nameOf(process)', 'serviceName: nameOf(process)'],
    [
      'an instrumentation that has no replacement',
      'instrumentations: [new KafkaJsInstrumentation()]',
      'KafkaJsInstrumentation',
    ],
    [
      'options of an instrumentation',
      'instrumentations: [new HttpInstrumentation({ requestHook })]',
      'the options of HttpInstrumentation',
    ],
    ['options that are built elsewhere', '...shared', 'its options are not an object literal'],
  ])('leaves a file with %s', (_, property, reason) => {
    const file = `import { NodeSDK } from '@opentelemetry/sdk-node';\nnew NodeSDK({ ${property} });\n`;
    const main = `import './tracing';\n${MAIN}`;
    const tree = run({
      ...PROJECT,
      'src/tracing.ts': file.replace('\nnew', '\nexport const sdk = new'),
      'src/main.ts': main,
    });
    expect(tree.text('src/tracing.ts')).toContain(property);
    expect(tree.text('src/main.ts')).toContain("import './tracing';");
    expect(tree.warnings.join()).toContain('src/tracing.ts is left as it is, because of');
    expect(tree.warnings.join()).toContain(reason);
    expect(tree.text('src/app.module.ts')).toContain('TracingModule.forRoot()');
  });

  it('leaves a file with other code, and one whose SDK is used otherwise', () => {
    const file = "import { NodeSDK } from '@opentelemetry/sdk-node';\nexport const sdk = new NodeSDK();\nconnect();\n";
    const main = `import { sdk } from './tracing';\nexport const stop = () => sdk.shutdown();\n${MAIN}`;
    const tree = run({ ...PROJECT, 'src/tracing.ts': file, 'src/main.ts': main });
    expect(tree.warnings.join()).toContain('src/tracing.ts:3 has other code');
    expect(tree.warnings.join()).toContain('src/main.ts:2 uses sdk');
    expect(tree.text('src/tracing.ts')).toBe(file);
  });

  it('leaves a file that another program needs', () => {
    const scripts = { worker: 'node --import ./dist/tracing.js dist/worker.js' };
    const tree = run({
      ...PROJECT,
      'package.json': JSON.stringify({ scripts }),
      'src/tracing.ts': START_FILE,
      'src/cron.ts': "import './tracing.js';\n",
    });
    expect(tree.text('src/tracing.ts')).toBe(START_FILE);
    expect(tree.warnings.join()).toContain('src/cron.ts, which loads it and does not create the application');
    expect(tree.warnings.join()).toContain('the script "worker", which preloads it for another program');
    expect(JSON.parse(tree.text('package.json')!)).toEqual({ scripts });
  });

  it('lists flags outside of package.json, and packages that nothing imports', () => {
    const tree = run({
      ...PROJECT,
      'package.json': JSON.stringify({
        dependencies: { '@opentelemetry/api': '1', '@opentelemetry/exporter-trace-otlp-proto': '0' },
      }),
      'src/tracing.ts': START_FILE,
      Dockerfile: 'FROM node\nCMD ["node", "--import", "./dist/tracing.js", "dist/main.js"]\n',
    });
    expect(tree.warnings.join()).toContain('Dockerfile:2 preloads src/tracing.ts: remove the flag.');
    expect(tree.warnings.join()).toContain('npm uninstall @opentelemetry/exporter-trace-otlp-proto');
    expect(tree.text('Dockerfile')).toContain('--import');
  });

  it.each([
    ['removes', {}, 'node dist/main'],
    ['leaves', { kafkajs: '2' }, 'node --require @opentelemetry/auto-instrumentations-node/register dist/main'],
  ])('%s the preload of auto-instrumentation, by the dependencies', (_, dependencies, start) => {
    const scripts = { start: 'node --require @opentelemetry/auto-instrumentations-node/register dist/main' };
    const tree = run({ ...PROJECT, 'package.json': JSON.stringify({ scripts, dependencies }) });
    expect(JSON.parse(tree.text('package.json')!)).toEqual({ scripts: { start }, dependencies });
    expect(tree.text('src/app.module.ts')).toContain('TracingModule.forRoot()');
    if (start !== 'node dist/main') expect(tree.warnings.join()).toContain('does not trace kafkajs');
  });

  it.each([
    ['getNodeAutoInstrumentations()', { pino: '10', 'nestjs-pino': '5' }, 'pino, nestjs-pino', 'mixin: traceLogFields'],
    ['getNodeAutoInstrumentations()', { 'nest-winston': '2' }, 'nest-winston', 'defaultMeta: traceLogMeta()'],
    ['new PinoInstrumentation()', { pino: '10', winston: '3' }, 'pino', 'mixin: traceLogFields'],
    ['new WinstonInstrumentation()', { pino: '10', winston: '3' }, 'winston', 'LogExportTransport'],
  ])('says how the lines of loggers get the trace again: %s with %o', (instrumentation, loggers, names, remedy) => {
    const file = START_FILE.replace('new HttpInstrumentation()', instrumentation);
    const manifest = { scripts: {}, dependencies: { '@nestjs/core': '^12', ...loggers } };
    const tree = run({ ...PROJECT, 'package.json': JSON.stringify(manifest), 'src/tracing.ts': file });
    expect(tree.text('src/tracing.ts')).toBeUndefined();
    expect(tree.warnings.join()).toContain(`The instrumentation of ${names} has added the trace to log lines`);
    expect(tree.warnings.join()).toContain(remedy);
  });

  it.each([
    ["console.log('Tracing initialized');", true],
    ['diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.INFO);', true],
    ['console.log(connect());', false],
    ['diag.setLogger(createLogger());', false],
    ["import 'dotenv/config';", false],
  ])('removes a file with nothing but messages besides: %s %p', (statement, isRemoved) => {
    const tree = run({ ...PROJECT, 'src/tracing.ts': `${START_FILE}${statement}\n` });
    expect(tree.text('src/tracing.ts') === undefined).toBe(isRemoved);
  });

  it('says nothing about loggers that were not instrumented', () => {
    const manifest = { scripts: {}, dependencies: { '@nestjs/core': '^12', pino: '10' } };
    const tree = run({ ...PROJECT, 'package.json': JSON.stringify(manifest), 'src/tracing.ts': START_FILE });
    expect(tree.text('src/tracing.ts')).toBeUndefined();
    expect(tree.warnings.join()).not.toContain('log lines');
  });

  it('gives the options to a person where the module has some', () => {
    const module =
      "import { TracingModule } from 'nestjs-tracing';\n@Module({ imports: [TracingModule.forRoot({ logs: true })] })\nexport class AppModule {}\n";
    const tree = run({ ...PROJECT, 'src/tracing.ts': START_FILE, 'src/app.module.ts': module });
    expect(tree.text('src/app.module.ts')).toBe(module);
    expect(tree.warnings.join()).toContain(
      "Give TracingModule the options of the preload: TracingModule.forRoot({ serviceName: 'orders'",
    );
  });

  it('leaves the other applications of a monorepo alone', () => {
    const configuration = {
      projects: { orders: { sourceRoot: 'apps/orders/src' }, books: { sourceRoot: 'apps/books/src' } },
    };
    const scripts = {
      orders: 'node --import ./dist/apps/orders/tracing.js dist/apps/orders/main',
      books: 'node --import ./dist/apps/books/tracing.js dist/apps/books/main',
    };
    const tree = run(
      {
        'nest-cli.json': JSON.stringify(configuration),
        'package.json': JSON.stringify({ scripts }),
        ...Object.fromEntries(
          ['orders', 'books'].flatMap((name) => [
            [`apps/${name}/src/main.ts`, MAIN],
            [`apps/${name}/src/app.module.ts`, MODULE],
            [`apps/${name}/src/tracing.ts`, START_FILE],
          ]),
        ),
      },
      { project: 'orders' },
    );
    expect(tree.text('apps/orders/src/tracing.ts')).toBeUndefined();
    expect(tree.text('apps/books/src/tracing.ts')).toBe(START_FILE);
    expect(tree.text('apps/books/src/app.module.ts')).toBe(MODULE);
    expect(JSON.parse(tree.text('package.json')!)).toEqual({
      scripts: { ...scripts, orders: 'node dist/apps/orders/main' },
    });
  });
});

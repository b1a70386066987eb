import { describe, expect, it } from '@jest/globals';
import { nestAdd } from '../../../lib/set-up/nest-add.js';
import { MemoryTree } from '../../support/memory-tree.js';

const MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}
await bootstrap();
`;
const MODULE = `import { Module } from '@nestjs/common';
import { AppService } from './app.service.js';

@Module({
  imports: [],
  providers: [AppService],
})
export class AppModule {}
`;
const PROJECT = {
  'package.json': '{ "name": "@acme/orders", "dependencies": { "@nestjs/config": "^4" } }',
  'nest-cli.json': '{ "sourceRoot": "src" }',
  'src/main.ts': MAIN,
  'src/app.module.ts': MODULE,
};

function add(files: Record<string, string>, options: Parameters<typeof nestAdd>[0] = {}): MemoryTree {
  const tree = new MemoryTree(files);
  nestAdd({ sourceRoot: 'src', ...options })(tree, tree.context);
  return tree;
}

/** The metadata of the root module after the schematic. */
function addToMetadata(metadata: string): string | undefined {
  const module = `import { Module } from '@nestjs/common';\n\n@Module(${metadata})\nexport class AppModule {}\n`;
  const text = add({ ...PROJECT, 'src/app.module.ts': module }).text('src/app.module.ts');
  return /@Module\(([^]*)\)\nexport/.exec(text ?? '')?.[1];
}

describe('nest add', () => {
  it('imports the module first, enables shutdown hooks, and gives an example of the variables', () => {
    const tree = add(PROJECT);
    expect(tree.text('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { TracingModule } from 'nestjs-tracing';
import { AppService } from './app.service.js';

@Module({
  imports: [TracingModule.forRoot()],
  providers: [AppService],
})
export class AppModule {}
`);
    expect(tree.text('src/main.ts')).toBe(
      MAIN.replace('(AppModule);\n', '(AppModule);\n  app.enableShutdownHooks();\n'),
    );
    expect(tree.text('.env.example')).toMatch(
      /^OTEL_SERVICE_NAME=orders\nOTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/localhost:4318$/m,
    );
    expect(tree.warnings).toEqual([]);
  });

  it('changes nothing when it runs again', () => {
    const tree = add({ ...PROJECT, '.env.example': 'PORT=3000' }, { compose: true });
    const before = new Map(tree.files);
    nestAdd({ sourceRoot: 'src', compose: true })(tree, tree.context);
    expect(tree.files).toEqual(before);
  });

  it.each([
    ['{ imports: [] }', '{ imports: [TracingModule.forRoot()] }'],
    [
      '{ imports: [ConfigModule.forRoot(), Orders] }',
      '{ imports: [TracingModule.forRoot(), ConfigModule.forRoot(), Orders] }',
    ],
    [
      '{\n  imports: [\n    // first\n    A,\n    B,\n  ],\n}',
      '{\n  imports: [\n    TracingModule.forRoot(),\n    // first\n    A,\n    B,\n  ],\n}',
    ],
    ['{\n\timports: [\n\t\tA,\n\t],\n}', '{\n\timports: [\n\t\tTracingModule.forRoot(),\n\t\tA,\n\t],\n}'],
    ['{\n  imports: [\n    // none\n  ],\n}', '{\n  imports: [TracingModule.forRoot(),\n    // none\n  ],\n}'],
    ['{}', '{ imports: [TracingModule.forRoot()] }'],
    ['', '{ imports: [TracingModule.forRoot()] }'],
    ['{ providers: [A] }', '{ imports: [TracingModule.forRoot()], providers: [A] }'],
    ['{\n  providers: [A],\n}', '{\n  imports: [TracingModule.forRoot()],\n  providers: [A],\n}'],
    ['{ imports: modules }', '{ imports: [TracingModule.forRoot(), ...modules] }'],
    ['{ imports: dev ? [A] : [] }', '{ imports: [TracingModule.forRoot(), ...(dev ? [A] : [])] }'],
    ['{ imports }', '{ imports: [TracingModule.forRoot(), ...imports] }'],
  ])('edits the metadata %j', (before, after) => {
    expect(addToMetadata(before)).toBe(after);
  });

  it('keeps quotes, line ends and the absence of semicolons', () => {
    const foreign = (text: string) => text.replaceAll("'", '"').replaceAll(';\n', '\n').replaceAll('\n', '\r\n');
    const tree = add({ ...PROJECT, 'src/main.ts': foreign(MAIN), 'src/app.module.ts': foreign(MODULE) });
    const module = tree.text('src/app.module.ts')!;
    expect(module).toContain('import { TracingModule } from "nestjs-tracing"\r\n');
    expect(tree.text('src/main.ts')).toContain('\r\n  app.enableShutdownHooks()\r\n');
    expect(module.replaceAll('\r\n', '')).not.toContain('\n');
  });

  it('adds the name to an import of the library that is there', () => {
    const module = MODULE.replace('import { AppService', "import { Span } from 'nestjs-tracing';\nimport { AppService");
    expect(add({ ...PROJECT, 'src/app.module.ts': module }).text('src/app.module.ts')).toContain(
      "import { Span, TracingModule } from 'nestjs-tracing';",
    );
  });

  it.each([
    [
      'a re-export',
      {
        'src/main.ts': MAIN.replace('./app.module.js', './app'),
        'src/app/index.ts': "export * from '../app.module.js';",
      },
    ],
    [
      'a default export',
      {
        'src/main.ts': MAIN.replace('{ AppModule }', 'AppModule'),
        'src/app.module.ts': MODULE.replace('export class', 'export default class'),
      },
    ],
    [
      'an alias',
      {
        'src/main.ts': MAIN.replace('./app.module.js', '@app/app.module'),
        'tsconfig.json': '{ "compilerOptions": { /* of the team */ "paths": { "@app/*": ["./src/*"] } } }',
      },
    ],
    ['a path of the project', { 'src/main.ts': MAIN.replace('./app.module.js', 'src/app.module') }],
    [
      'a module with options',
      { 'src/main.ts': MAIN.replace('(AppModule)', '(AppModule.register({}), { logger: false })') },
    ],
    ['an application that is created elsewhere', { 'src/main.ts': "import './server.js';\n", 'src/server.ts': MAIN }],
  ])('finds the root module behind %s', (_, files) => {
    expect(add({ ...PROJECT, ...files }).text('src/app.module.ts')).toContain('imports: [TracingModule.forRoot()]');
  });

  it('works where one file has everything', () => {
    const main = MAIN.replace(
      "import { AppModule } from './app.module.js';\n",
      "import { Module } from '@nestjs/common';\n\n@Module({})\nclass AppModule {}\n",
    );
    const text = add({ 'package.json': '{}', 'src/main.ts': main }).text('src/main.ts');
    expect(text).toContain('@Module({ imports: [TracingModule.forRoot()] })');
    expect(text).toContain('app.enableShutdownHooks();');
  });

  it.each([
    [
      '  const app = await NestFactory.create<NestFastifyApplication>(\n    AppModule,\n    new FastifyAdapter(),\n  );\n',
      'app',
    ],
    ['  let server: INestApplication;\n  server = await NestFactory.createMicroservice(AppModule, {});\n', 'server'],
  ])('calls the application by its name', (creation, name) => {
    const main = MAIN.replace('  const app = await NestFactory.create(AppModule);\n', creation);
    const text = add({ ...PROJECT, 'src/main.ts': main }).text('src/main.ts');
    expect(text).toContain(`${creation}  ${name}.enableShutdownHooks();\n`);
  });

  it('says what to do where it does not know the form of the code', () => {
    const tree = add({
      ...PROJECT,
      'src/main.ts':
        "import { NestFactory } from '@nestjs/core';\nimport { AppModule } from './app.module.js';\nNestFactory.create(AppModule).then((app) => app.listen(3000));\n",
      'src/app.module.ts':
        "import { Module } from '@nestjs/common';\nconst metadata = {};\n@Module(metadata)\nexport class AppModule {}\n",
    });
    expect(tree.warnings.join()).toContain('The metadata of @Module() in src/app.module.ts is no object literal');
    expect(tree.warnings.join()).toContain('Call enableShutdownHooks() of the application in src/main.ts');
    expect(tree.text('src/app.module.ts')).not.toContain('TracingModule');
  });

  it('says that no application was found', () => {
    const tree = add({ 'package.json': '{}', 'src/index.ts': 'export {};' });
    expect(tree.warnings.join()).toContain('No call of NestFactory.create() was found below src');
  });

  it('leaves an application alone whose module another module imports', () => {
    const core =
      "import { TracingModule } from 'nestjs-tracing';\n@Module({ imports: [TracingModule.forRootAsync({})] })\nexport class CoreModule {}\n";
    const tree = add({ ...PROJECT, 'src/core.module.ts': core });
    expect(tree.text('src/app.module.ts')).toBe(MODULE);
    expect(tree.infos).toContain('src/core.module.ts imports TracingModule already.');
  });

  it('is not deceived by comments and tests', () => {
    const tree = add({
      ...PROJECT,
      'src/app.module.ts': `// TracingModule.forRoot() comes first.\n${MODULE}`,
      'src/app.spec.ts': 'Test.createTestingModule({ imports: [TracingModule.forRoot()] });\n',
    });
    expect(tree.text('src/app.module.ts')).toContain('imports: [TracingModule.forRoot()]');
  });

  it('adds to the example of the environment that the project has', () => {
    const tree = add({ ...PROJECT, '.env.sample': 'PORT=3000' });
    expect(tree.text('.env.sample')).toMatch(/^PORT=3000\n\n# Tracing.*\n/);
    expect(tree.text('.env.example')).toBeUndefined();
  });

  it('says that nothing loads a file of variables', () => {
    const tree = add({ ...PROJECT, 'package.json': '{ "name": "orders" }' });
    expect(tree.warnings.join()).toContain('Nothing in this project loads a file .env');
  });

  it('adds a compose file with Jaeger', () => {
    expect(add(PROJECT, { compose: 'jaeger' }).text('compose.tracing.yaml')).toContain('127.0.0.1:4318:4318');
  });
});

describe('nest add in a monorepo', () => {
  const MONOREPO = {
    'package.json': '{ "name": "shop" }',
    'nest-cli.json': JSON.stringify({
      monorepo: true,
      sourceRoot: 'apps/gateway/src',
      projects: {
        gateway: { type: 'application', sourceRoot: 'apps/gateway/src' },
        orders: { type: 'application', sourceRoot: 'apps/orders/src', entryFile: 'server' },
        common: { type: 'library', sourceRoot: 'libs/common/src' },
      },
    }),
    'apps/gateway/src/main.ts': MAIN,
    'apps/gateway/src/app.module.ts': MODULE,
    'apps/orders/src/server.ts': MAIN,
    'apps/orders/src/app.module.ts': MODULE,
  };

  it.each([
    ['the folder of the sources', { sourceRoot: 'apps/orders/src' }],
    ['the name', { sourceRoot: 'apps/gateway/src', project: 'orders' }],
  ])('sets up one application, which has a name of its own, by %s', (_, options) => {
    const tree = add(MONOREPO, options);
    expect(tree.text('apps/orders/src/app.module.ts')).toContain("TracingModule.forRoot({ serviceName: 'orders' })");
    expect(tree.text('apps/orders/src/server.ts')).toContain('enableShutdownHooks');
    expect(tree.text('apps/gateway/src/app.module.ts')).toBe(MODULE);
    expect(tree.text('.env.example')).not.toContain('OTEL_SERVICE_NAME');
  });

  it('sets up the default application', () => {
    const tree = add(MONOREPO, { sourceRoot: 'undefined' });
    expect(tree.text('apps/gateway/src/app.module.ts')).toContain("TracingModule.forRoot({ serviceName: 'gateway' })");
  });

  it('names the applications if it is asked for another', () => {
    expect(() => add(MONOREPO, { project: 'payments' })).toThrow(
      'nest-cli.json has no application "payments". It has: gateway, orders.',
    );
  });
});

/** A web application whose tracing its first argument selects. It answers one request, and reports loaded modules and hooks. */
import 'reflect-metadata';
import { createRequire } from 'node:module';
import type { Server } from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { Span, TracingModule } from 'nestjs-tracing';

const tracing = {
  'only imported': TracingModule.forRoot(),
  enabled: TracingModule.forRoot({ exporter: 'none' }),
  'disabled by an option': TracingModule.forRoot({ enabled: false, serviceName: '' }),
  'disabled late': TracingModule.forRootAsync({
    useFactory: () => new Promise((resolve) => setTimeout(resolve, 5, { enabled: false })),
  }),
  'disabled by a variable': TracingModule.forRoot({ exporter: 'nonsense' as 'none' }),
  'disabled by a variable, late': TracingModule.forRootAsync({ useFactory: () => Promise.resolve({}) }),
};

@Controller()
class HelloController {
  @Get('hello')
  @Span()
  hello(): string {
    return `hello, ${trace.getActiveSpan()?.isRecording() ? 'traced' : 'untraced'}`;
  }
}

const mode = process.argv[2] as keyof typeof tracing;

@Module({ imports: [tracing[mode]], controllers: [HelloController] })
class AppModule {}

const report: Record<string, unknown> = {};
if (mode !== 'only imported') {
  const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
  await app.listen(0, '127.0.0.1');
  const response = await fetch(`${await app.getUrl()}/hello`);
  const adapter = app.get(HttpAdapterHost).httpAdapter;
  report.answer = await response.text();
  report.interceptors = app.get(ApplicationConfig).getGlobalInterceptors().length;
  report.requestHook = typeof Reflect.get(adapter, 'onRequestHook');
  report.requestListeners = (adapter.getHttpServer() as Server).listenerCount('request');
  Object.assign(report, globals());
  await app.close();
} else {
  Object.assign(report, globals());
}
process.stdout.write(`${JSON.stringify(report)}\n`);

function globals(): object {
  const api = (globalThis as Record<symbol, object | undefined>)[Symbol.for('opentelemetry.js.api.1')] ?? {};
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  return {
    registered: Object.keys(api).filter((name) => name !== 'version'),
    sdk: loaded.some((file) => /@opentelemetry.(sdk-|exporter-|resources|core)/.test(file)),
  };
}

/**
 * An application that ends in the way that its first argument names. Its second argument is the time limit of its tracing.
 * Without a second argument it is not traced, for comparison.
 */
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { TracingModule } from 'nestjs-tracing';

const [ending = '', limit] = process.argv.slice(2);

@Injectable()
class WorkService {
  onApplicationBootstrap(): void {
    trace.getTracer('app').startSpan('work').end();
  }

  onApplicationShutdown(): void {
    trace.getTracer('app').startSpan('clean up').end();
  }
}

@Module({
  imports: limit ? [TracingModule.forRoot({ shutdown: { onProcessExit: true, timeout: Number(limit) } })] : [],
  providers: [WorkService],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
const stayAlive = () => setTimeout(() => {}, 60_000);

const endings: Record<string, () => unknown> = {
  'by itself': () => {},
  'by itself with an exit code': () => (process.exitCode = 3),
  'process.exit()': () => process.exit(4),
  'a signal': stayAlive,
  "a signal with Nest's hooks": () => {
    app.enableShutdownHooks();
    stayAlive();
  },
  'a signal with a handler that closes and exits': () => {
    process.on('SIGTERM', () => void app.close().then(() => process.exit(7)));
    stayAlive();
  },
  'a signal with a handler that ends by itself': () => {
    const timer = stayAlive();
    process.on('SIGTERM', () => {
      process.exitCode = 6;
      clearTimeout(timer);
    });
  },
  'a signal with a listener that yields to others': () => {
    stayAlive();
    // As the package signal-exit listens: it ends the process only if nothing else does.
    const emitter = { count: 1 };
    Reflect.set(process, '__signal_exit_emitter__', emitter);
    process.on('SIGTERM', function onSignal(): void {
      if (process.listenerCount('SIGTERM') !== emitter.count) return;
      process.removeListener('SIGTERM', onSignal);
      process.kill(process.pid, 'SIGTERM');
    });
  },
  'an exception': () => {
    stayAlive();
    setImmediate(() => {
      throw new TypeError('it broke');
    });
  },
  'an exception, then process.exit(0)': () => {
    setImmediate(() => {
      setImmediate(() => process.exit(0));
      throw new TypeError('it broke');
    });
  },
  'an exception, then another': () => {
    process.nextTick(() => process.nextTick(() => raise('it broke again')));
    process.nextTick(() => raise('it broke'));
  },
  'an exception that is no error': () => {
    setImmediate(() => {
      throw 'text';
    });
  },
  'an exception with a handler': () => {
    process.on('uncaughtException', () => process.exit(9));
    setImmediate(() => raise('it broke'));
  },
  'a rejection': () => {
    stayAlive();
    void Promise.reject(new RangeError('it broke'));
  },
  'a rejection that is no error': () => void Promise.reject('text'),
  'a rejection with a handler': () => {
    process.on('unhandledRejection', () => (process.exitCode = 5));
    void Promise.reject(new RangeError('it broke'));
  },
  'a failing top-level await': () => Promise.reject(new Error('it broke')),
};

function raise(message: string): never {
  throw new Error(message);
}

process.on('exit', (code) => process.stdout.write(`exit ${code} ${process.exitCode}\n`));
const ended = endings[ending]!();
process.stdout.write('ready\n');
await ended;

import { createRequire } from 'node:module';
import { Session } from 'node:inspector';
import process from 'node:process';
import type { Running, Setup, WorkOrder } from './setup.js';

interface Order {
  id: number;
  command: string;
  argument?: unknown;
}

/** Runs the commands of the harness. They come over the channel between the processes, so they cost the requests nothing. */
export function serveCommands(running: Running, setup: Setup): void {
  const session = new Session();
  const commands: Record<string, (argument: never) => unknown> = {
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    flush: async () => {
      await setup.flush?.();
    },
    memory: () => {
      (globalThis as { gc?: () => void }).gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      return { heapUsed, rss };
    },
    rss: () => process.memoryUsage.rss(),
    loaded: loadedSdkFiles,
    work: (order: WorkOrder) => running.work?.(order),
    'profile-start': async (interval: number) => {
      session.connect();
      await post(session, 'Profiler.enable');
      await post(session, 'Profiler.setSamplingInterval', { interval });
      await post(session, 'Profiler.start');
    },
    'profile-stop': async () => {
      const { profile } = (await post(session, 'Profiler.stop')) as { profile: unknown };
      return profile;
    },
    close: async () => {
      await running.close();
      setImmediate(() => process.exit(0));
    },
  };
  process.on('message', ({ id, command, argument }: Order) => {
    void Promise.resolve()
      .then(() => commands[command]?.(argument as never))
      .then(
        (result) => process.send?.({ id, result }),
        (error: unknown) => process.send?.({ id, error: String(error) }),
      );
  });
  // The harness has ended, and nothing else would end this process.
  process.on('disconnect', () => process.exit(0));
}

/** The files of the OpenTelemetry SDK that this process has loaded. They are CommonJS, also if they were imported. */
function loadedSdkFiles(): string[] {
  const { cache } = createRequire(`${process.cwd()}/`);
  return Object.keys(cache).filter((file) => /@opentelemetry\/(sdk-|exporter-|otlp-)/.test(file));
}

function post(session: Session, method: string, parameters: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

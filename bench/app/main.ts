import 'reflect-metadata';
import process from 'node:process';
import { serveCommands } from './control.js';
import type { BenchOptions, Running, Setup, SetupFactory } from './setup.js';

async function main(): Promise<void> {
  const options = JSON.parse(process.env.BENCH ?? '{}') as BenchOptions;
  const { default: factory } = (await import(`./setups/${options.setup}.js`)) as { default: SetupFactory };
  const setup = await factory(options);
  const { start } = (await import(`./${options.app}.js`)) as {
    start(options: BenchOptions, setup: Setup): Promise<Running>;
  };
  const running = await start(options, setup);
  const readyAfter = performance.now();
  serveCommands(running, setup);
  const { user, system } = process.cpuUsage();
  process.send?.({ ready: true, port: running.port, readyAfter, cpu: user + system });
}

main().catch((error: unknown) => {
  process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
});

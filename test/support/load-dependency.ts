import { createRequire } from 'node:module';

/** Loads a dependency of a dependency of OpenTelemetry's SDK, which package managers may hide from the tests. */
export function loadDependency<T>(name: string, of: string): T {
  const sdk = createRequire(createRequire(import.meta.url).resolve('@opentelemetry/sdk-node'));
  return createRequire(sdk.resolve(of))(name) as T;
}

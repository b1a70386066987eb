import { createRequire } from 'node:module';
import nodeRequire from '../packages/require.cjs';
import { TracingPackageError } from '../tracing.errors.js';

const SDK_NODE = '@opentelemetry/sdk-node';

type NodeRequire = ReturnType<typeof createRequire>;

/** The SDK. Loading takes about as long as Nest itself, so it is left until somebody traces. */
export function loadSdkNode(): typeof import('@opentelemetry/sdk-node') {
  resolveSdkNode();
  return nodeRequire(SDK_NODE) as typeof import('@opentelemetry/sdk-node');
}

/**
 * Loads a package that the SDK itself depends on, in the SDK's own version: two versions of, say, the resource would not
 * know each other. pnpm and Yarn hide the packages of a package, so it is looked for from there.
 *
 * @param through a package between the SDK and the one that is meant
 */
export function loadFromSdk<T>(name: string, through?: string): T {
  let require = createRequire(resolveSdkNode());
  if (through !== undefined) require = createRequire(resolveFrom(require, through) ?? nodeRequire.resolve(through));
  const path = resolveFrom(require, name) ?? nodeRequire.resolve(name);
  return nodeRequire(path) as T;
}

function resolveSdkNode(): string {
  try {
    return nodeRequire.resolve(SDK_NODE);
  } catch (cause) {
    throw new TracingPackageError('enabled', true, SDK_NODE, { cause });
  }
}

function resolveFrom(require: NodeRequire, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

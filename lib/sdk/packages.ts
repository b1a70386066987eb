import { createRequire } from 'node:module';
import { isBundled } from '../packages/bundled.js';
import { nodeRequire } from '../packages/require.js';
import { TracingPackageError } from '../tracing.errors.js';

const SDK_NODE = '@opentelemetry/sdk-node';

type NodeRequire = ReturnType<typeof createRequire>;

/**
 * Loads a package on which the SDK depends, in the version of the SDK: objects of two versions, of resources for example, do not work
 * together. It is resolved from the SDK, because pnpm and Yarn hide the dependencies of a package from others.
 *
 * @param dependent the dependency of the SDK that has the package as its own dependency; undefined if the SDK itself has it
 */
export function loadFromSdk<T>(name: string, dependent?: string): T {
  return nodeRequire(resolveFromSdk(name, dependent)) as T;
}

/** Returns the version of a package on which the SDK depends, without loading the package. */
export function versionFromSdk(name: string): string | undefined {
  const path = resolveFrom(createRequire(resolveSdkNode()), `${name}/package.json`);
  return path === undefined ? undefined : (nodeRequire(path) as { version: string }).version;
}

function resolveFromSdk(name: string, dependent?: string): string {
  const fromSdk = createRequire(resolveSdkNode());
  const path = dependent === undefined ? undefined : resolveFrom(fromSdk, dependent);
  return resolveFrom(path === undefined ? fromSdk : createRequire(path), name) ?? nodeRequire.resolve(name);
}

function resolveSdkNode(): string {
  try {
    return nodeRequire.resolve(SDK_NODE);
  } catch (cause) {
    throw new TracingPackageError('enabled', true, SDK_NODE, { cause, isBundled: isBundled() });
  }
}

function resolveFrom(require: NodeRequire, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

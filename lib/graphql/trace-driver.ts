import { callSafely } from '../core/diagnostics.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { apolloPlugin, type ApolloPlugin } from './apollo-plugin.js';
import { watchExtensions } from './operation-extensions.js';
import type { OperationNaming } from './served-operation.js';
import { traceMercurius } from './trace-mercurius.js';

/** The beginnings of the names of Nest's drivers. */
const APOLLO = 'Apollo';
const APOLLO_GATEWAY = 'ApolloGateway';
const MERCURIUS = 'Mercurius';

/** The members of the options of Apollo's drivers that are used here. */
interface ApolloOptions {
  plugins?: readonly unknown[] | undefined;
  /** The options of the server, which are apart from those of the gateway that it is in front of. */
  server?: ApolloOptions | undefined;
}

/**
 * Instruments the server of GraphQL behind Nest's driver: Apollo or Mercurius. Call it before the driver starts. Returns a function that
 * undoes it. Undefined for another driver, whose operations are described by the first resolver that is called.
 */
export function traceDriver(driver: object, naming: OperationNaming): (() => void) | undefined {
  if (isOf(driver, APOLLO)) return traceApolloDriver(driver, apolloPlugin(naming));
  if (isOf(driver, MERCURIUS)) return traceMercuriusDriver(driver, naming);
  return undefined;
}

/** True if the server behind a driver shows the exceptions of resolvers, as only Apollo does. */
export function showsExceptions(driver: object): boolean {
  return isOf(driver, APOLLO);
}

function isOf(driver: object, server: string): boolean {
  return classNames(driver).some((name) => name.startsWith(server));
}

function traceApolloDriver(driver: object, plugin: ApolloPlugin): (() => void) | undefined {
  return interceptMethod(driver, 'start', (start, thisArg, args) => {
    const [options] = args as (ApolloOptions | undefined)[];
    callSafely('Adding a plugin to Apollo', () => {
      if (!isObject(options)) return;
      addPlugin(isOf(driver, APOLLO_GATEWAY) ? (options.server ??= {}) : options, plugin);
      watchExtensions(options);
    });
    return Reflect.apply(start, thisArg, args);
  });
}

/** Adds the plugin to the options that Nest has put together for the server. The list of the application stays as it is. */
function addPlugin(options: ApolloOptions, plugin: ApolloPlugin): void {
  options.plugins = [...(options.plugins ?? []), plugin];
}

function traceMercuriusDriver(driver: object, naming: OperationNaming): (() => void) | undefined {
  return interceptMethod(driver, 'start', async (start, thisArg, args) => {
    const result: unknown = await Reflect.apply(start, thisArg, args);
    callSafely('Adding hooks to Mercurius', () => traceMercurius(Reflect.get(driver, 'instance'), naming));
    return result;
  });
}

/** Returns the names of the class of an object, and of those that it extends: an application may extend a driver. */
function classNames(target: object): string[] {
  const names: string[] = [];
  for (let link: unknown = Object.getPrototypeOf(target); isObject(link); link = Object.getPrototypeOf(link)) {
    names.push(link.constructor?.name ?? '');
  }
  return names;
}

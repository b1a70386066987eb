import { createRequire } from 'node:module';
import { callSafely } from '../core/diagnostics.js';
import { isWrappedElsewhere } from '../core/instrumented-methods.js';
import type { AnyMethod } from '../core/wrap-method.js';

/** The time in milliseconds for which an answer of `CallerProbe` holds. */
const ANSWER_HOLDS = 1000;

/** The number of frames between a driver's method and the subscriber of its channel, and more. */
const FRAMES = 40;

const PACKAGES = /^.*[\\/]node_modules[\\/]/;

/**
 * Finds out whether another instrumentation calls the driver, where only the driver's channels are known and not its objects: then a file
 * of that instrumentation is among the callers. Since a stack is expensive, the answer holds for a second.
 */
export class CallerProbe {
  #isCalledByOther = false;
  #answeredAt = -Infinity;

  /** @param files matches the path of a file of another instrumentation, from the name of its package on */
  constructor(private readonly files: RegExp) {}

  /** True if another instrumentation is among the callers of this method. */
  isCalledByOther(): boolean {
    const now = performance.now();
    if (now - this.#answeredAt > ANSWER_HOLDS) {
      this.#answeredAt = now;
      this.#isCalledByOther = readCallers((frame) => frame.getFileName()).some(
        (file) => typeof file === 'string' && this.files.test(file.replace(PACKAGES, '')),
      );
    }
    return this.#isCalledByOther;
  }
}

/**
 * Finds out whether another instrumentation has put its own function in front of a method of a driver, where neither the objects of the driver
 * nor its calls are known. Node has the classes of all files of CommonJS that are loaded.
 */
export class LoadedClassProbe {
  #isWrapped = false;
  #answeredAt = -Infinity;

  /** @param file matches the path of the file that exports the class */
  constructor(
    private readonly file: RegExp,
    private readonly method: string,
  ) {}

  isWrappedElsewhere(): boolean {
    const now = performance.now();
    if (now - this.#answeredAt > ANSWER_HOLDS) {
      this.#answeredAt = now;
      this.#isWrapped = callSafely('Looking for other instrumentations', () => this.#look()) ?? false;
    }
    return this.#isWrapped;
  }

  #look(): boolean {
    // Every function of this kind has the same list of files.
    const { cache } = createRequire(process.execPath);
    return Object.keys(cache)
      .filter((path) => this.file.test(path))
      .some((path) => {
        const exported = (cache[path]?.exports ?? {}) as { prototype?: object; default?: { prototype?: object } };
        const prototype = exported.prototype ?? exported.default?.prototype;
        const method: unknown = prototype && Reflect.get(prototype, this.method);
        return typeof method === 'function' && isWrappedElsewhere(method);
      });
  }
}

/** True if a function of this name is among the callers. */
export function isCalledByNamed(functionName: string): boolean {
  return readCallers((frame) => frame.getFunctionName()).includes(functionName);
}

/** True if a function is among the callers. This takes a small part of the time that the search for a name takes. */
export function isCalledBy(fn: AnyMethod): boolean {
  // The frames down to the function are left out, and all of them are if it is not among the callers.
  return withStack(1, fn, (frames) => frames).length > 0;
}

function readCallers<T>(read: (frame: NodeJS.CallSite) => T): readonly T[] {
  return withStack(FRAMES, readCallers, (frames) => frames.map(read));
}

/** Reads the frames of the stack below a function. Neither the length of the application's stacks nor their form matters. */
function withStack<T>(
  limit: number,
  above: (...args: never[]) => unknown,
  read: (frames: NodeJS.CallSite[]) => readonly T[],
): readonly T[] {
  const own = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  const { stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = limit;
    Error.prepareStackTrace = (_error, frames) => read(frames);
    Error.captureStackTrace(holder, above);
    return Array.isArray(holder.stack) ? (holder.stack as T[]) : [];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (own) Object.defineProperty(Error, 'prepareStackTrace', own);
    else Reflect.deleteProperty(Error, 'prepareStackTrace');
  }
}

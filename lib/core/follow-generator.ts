import { types } from 'node:util';
import { overrideOnInstance } from './override-on-instance.js';
import { callInWork, type Work } from './work.js';

type AnyGenerator = Generator | AsyncGenerator;
type StepName = 'next' | 'return' | 'throw';
type Step = (this: AnyGenerator, ...args: unknown[]) => IteratorResult<unknown> | Promise<IteratorResult<unknown>>;

/** True for an object that a generator function has created. Readable streams and database cursors can be iterated as well, and are not followed. */
export function isGenerator(value: object): value is AnyGenerator {
  return types.isGeneratorObject(value);
}

/**
 * Runs every step of the generator in the context of the work, and ends the work when the generator is done, fails or is stopped early.
 * Returns false if the object cannot be followed.
 */
export function followGenerator(generator: AnyGenerator, work: Work): boolean {
  if (!Object.isExtensible(generator)) return false;
  for (const name of ['next', 'return', 'throw'] as const) {
    const step = generator[name] as Step;
    overrideOnInstance(generator, name, function (this: AnyGenerator, ...args: unknown[]) {
      return runStep(name, work, step, this, args);
    });
  }
  return true;
}

function runStep(name: StepName, work: Work, step: Step, generator: AnyGenerator, args: unknown[]): ReturnType<Step> {
  function finishIfDone(result: IteratorResult<unknown>): IteratorResult<unknown> {
    if (!result.done) return result;
    // A consumer that stops early, by `break` say, gets no result.
    if (name === 'return') work.cancel();
    else work.succeed(result.value);
    return result;
  }

  let result: ReturnType<Step>;
  try {
    result = callInWork(work, step as never, generator, args) as ReturnType<Step>;
  } catch (thrown) {
    work.fail(thrown);
    throw thrown;
  }
  if (!types.isPromise(result)) return finishIfDone(result);
  return result.then(finishIfDone, (thrown: unknown) => {
    work.fail(thrown);
    throw thrown;
  });
}

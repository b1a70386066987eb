import { isObservable, tap } from 'rxjs';
import { isObject } from '../../core/is-object.js';

/** A saga: it turns the stream of events into a stream of commands. */
type Saga = (events: unknown) => unknown;

/** The names of the sagas that commands come from. */
const sagas = new WeakMap<object, string>();

/** Returns the name of the saga that a command comes from. */
export function sagaOf(command: unknown): string | undefined {
  return isObject(command) ? sagas.get(command) : undefined;
}

/** Returns a saga that does the same, and whose commands are known to be its own. */
export function observeSaga(saga: Saga): Saga {
  const { name } = saga;
  function observedSaga(events: unknown): unknown {
    const commands = saga(events);
    if (!isObservable(commands)) return commands;
    return commands.pipe(
      tap((command) => {
        if (isObject(command)) sagas.set(command, name);
      }),
    );
  }
  return Object.defineProperty(observedSaga, 'name', { value: name, configurable: true });
}

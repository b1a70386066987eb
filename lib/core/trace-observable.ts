import { context } from '@opentelemetry/api';
import { Observable, Subscriber } from 'rxjs';
import { callInWork, type Work } from './work.js';

/**
 * Returns the Observable with each subscription as a work: it starts on subscribe, and ends on completion, error or unsubscribe. The source
 * runs in the context of the work; the subscriber receives values in its own context.
 *
 * @param start starts the work of a subscription; returns undefined if that fails
 */
export function traceObservable<T>(source: Observable<T>, start: () => Work | undefined): Observable<T> {
  const traced = new Observable<T>((subscriber) => {
    const outside = context.active();
    const work = start();
    if (!work) return source.subscribe(subscriber);
    const startedWork = work;
    let emitted: { last: T } | undefined;
    // This is the only way to have the subscription before the source emits.
    // oxlint-disable-next-line typescript/no-deprecated
    const inner = new Subscriber<T>({
      next(value) {
        emitted = { last: value };
        startedWork.receive?.(value);
        context.with(outside, () => subscriber.next(value));
      },
      error(thrown: unknown) {
        startedWork.fail(thrown);
        context.with(outside, () => subscriber.error(thrown));
      },
      complete() {
        if (emitted) startedWork.succeed(emitted.last);
        else startedWork.complete();
        context.with(outside, () => subscriber.complete());
      },
    });
    // This precedes the subscription, so that a subscriber can unsubscribe from a source that emits synchronously and without end.
    subscriber.add(() => {
      // The teardown of the source, by finalize() say, belongs to the work.
      callInWork(startedWork, () => inner.unsubscribe(), undefined, []);
      // A subscriber that unsubscribes after a value, firstValueFrom() say, has got its result.
      if (emitted) startedWork.succeed(emitted.last);
      else startedWork.cancel();
    });
    try {
      callInWork(work, () => source.subscribe(inner), undefined, []);
    } catch (thrown) {
      work.fail(thrown);
      throw thrown;
    }
  });
  return isPlainObservable(source) ? traced : withMethodsOf(source, traced);
}

/** The own properties that RxJS gives to every Observable. */
const RXJS_PROPERTIES = new Set<PropertyKey>(['source', 'operator', '_subscribe']);

/** True if the class is `Observable` itself and the object has no properties of its own. */
function isPlainObservable(source: object): boolean {
  return (
    Object.getPrototypeOf(source) === Observable.prototype &&
    Reflect.ownKeys(source).every((key) => RXJS_PROPERTIES.has(key))
  );
}

/** The methods that subscribe to `this`, or derive an Observable from it. They have to see the traced Observable as `this`. */
const SUBSCRIBING_METHODS = new Set<PropertyKey>([
  'constructor',
  'forEach',
  'lift',
  'pipe',
  'toPromise',
  '@@observable',
]);

// Methods of a subclass, such as connect() of a connectable Observable, are called on the original, whose private fields they need.
function withMethodsOf<T>(source: Observable<T>, traced: Observable<T>): Observable<T> {
  const subscribe: unknown = Reflect.get(traced, 'subscribe').bind(traced);
  return new Proxy(source, {
    get(target, key) {
      if (key === 'subscribe') return subscribe;
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function' || SUBSCRIBING_METHODS.has(key) || isObservableSymbol(key)) return value;
      return Object.hasOwn(target, key) ? value : value.bind(target);
    },
  });
}

function isObservableSymbol(key: PropertyKey): boolean {
  return key === (Symbol as { observable?: symbol }).observable;
}

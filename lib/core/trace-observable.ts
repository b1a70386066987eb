import { context } from '@opentelemetry/api';
import { Observable, Subscriber } from 'rxjs';
import { callWithin, type Work } from './work.js';

/**
 * The same Observable, where each subscription is a work: it starts on subscribe and ends on completion, error or
 * unsubscribe. The source runs as a part of the work; what it emits is handed on in the subscriber's own context.
 *
 * @param start starts the work of a subscription; undefined where that cannot be done
 */
export function traceObservable<T>(source: Observable<T>, start: () => Work | undefined): Observable<T> {
  const traced = new Observable<T>((subscriber) => {
    const outside = context.active();
    const work = start();
    if (!work) return source.subscribe(subscriber);
    const started = work;
    let emitted: { last: T } | undefined;
    function succeed(): void {
      if (emitted) started.succeeded(emitted.last);
      else started.left();
    }
    // The one way to have the subscription before the source emits.
    // oxlint-disable-next-line typescript/no-deprecated
    const inner = new Subscriber<T>({
      next(value) {
        emitted = { last: value };
        context.with(outside, () => subscriber.next(value));
      },
      error(thrown: unknown) {
        started.failed(thrown);
        context.with(outside, () => subscriber.error(thrown));
      },
      complete() {
        succeed();
        context.with(outside, () => subscriber.complete());
      },
    });
    // Before subscribing, so that a subscriber who has had enough stops even a source that emits at once and for ever.
    subscriber.add(() => {
      // What the source tears down, by finalize() say, is a part of the work.
      callWithin(started, () => inner.unsubscribe(), undefined, []);
      // A subscriber that has had enough, firstValueFrom() say, has got what it came for.
      succeed();
    });
    try {
      callWithin(work, () => source.subscribe(inner), undefined, []);
    } catch (thrown) {
      work.failed(thrown);
      throw thrown;
    }
  });
  return isPlain(source) ? traced : withMethodsOf(source, traced);
}

/** What RxJS keeps on every Observable. */
const INTERNAL = new Set<PropertyKey>(['source', 'operator', '_subscribe']);

function isPlain(source: object): boolean {
  return (
    Object.getPrototypeOf(source) === Observable.prototype && Reflect.ownKeys(source).every((key) => INTERNAL.has(key))
  );
}

/** What an Observable does by subscribing to itself, or to what it makes of itself. */
const SUBSCRIBING = new Set<PropertyKey>(['constructor', 'forEach', 'lift', 'pipe', 'toPromise', '@@observable']);

// What connectable() makes, say, is still asked for connect(): on the original, whose state and private fields it needs.
function withMethodsOf<T>(source: Observable<T>, traced: Observable<T>): Observable<T> {
  const subscribe: unknown = Reflect.get(traced, 'subscribe').bind(traced);
  return new Proxy(source, {
    get(target, key) {
      if (key === 'subscribe') return subscribe;
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function' || SUBSCRIBING.has(key) || isObservableSymbol(key)) return value;
      return Object.hasOwn(target, key) ? value : value.bind(target);
    },
  });
}

function isObservableSymbol(key: PropertyKey): boolean {
  return key === (Symbol as { observable?: symbol }).observable;
}

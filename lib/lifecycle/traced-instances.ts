import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { callEnhancer } from './call-enhancer.js';
import { callMiddleware } from './call-middleware.js';
import { interceptBoundMethod } from './intercept-bound-method.js';
import { Stage, type StageName } from './stage.js';

/** An object whose method is traced. */
interface TracedInstance {
  /** The applications that it lives as long as. An instance that belongs to a decorator is shared by all applications with the class. */
  readonly owners: Set<object>;
  readonly undo: () => void;
}

/** The stages whose method Nest binds when it registers a route. It looks that of the others up at each call. */
const BOUND = new Set<StageName>(['middleware', 'filter']);

const traced = new WeakMap<object, Map<string, TracedInstance>>();

/** The guards, pipes and the like of one application. */
export class TracedInstances {
  /** The objects that live as long as the application, with the methods that are traced. */
  private readonly owned = new Map<object, Set<string>>();

  /**
   * Gives each call of a method of an object a span.
   *
   * @param isOwned false for the object of one request, which is not kept
   */
  trace(instance: unknown, kind: StageName, method: string, isOwned: boolean): void {
    if (!isObject(instance)) return;
    const found = find(instance, kind, method);
    if (!found || !isOwned) return;
    found.owners.add(this);
    const methods = this.owned.get(instance) ?? new Set();
    this.owned.set(instance, methods.add(method));
  }

  /** Ends the use of all objects. An object is as it was if no other application uses it. */
  release(): void {
    for (const [instance, methods] of this.owned) {
      for (const method of methods) this.releaseMethod(instance, method);
    }
    this.owned.clear();
  }

  private releaseMethod(instance: object, method: string): void {
    const found = traced.get(instance)?.get(method);
    if (!found?.owners.delete(this) || found.owners.size > 0) return;
    traced.get(instance)?.delete(method);
    found.undo();
  }
}

/** Returns the object, and traces the method if that has not been done. Undefined if it cannot be traced: it is frozen, say. */
function find(instance: object, kind: StageName, method: string): TracedInstance | undefined {
  const existing = traced.get(instance)?.get(method);
  if (existing || typeof Reflect.get(instance, method) !== 'function') return existing;
  const stage = Stage.ofInstance(kind, instance, method);
  const call = kind === 'middleware' ? callMiddleware : callEnhancer;
  const intercept = BOUND.has(kind) ? interceptBoundMethod : interceptMethod;
  const undo = intercept(instance, method, (current, thisArg, args) => call(stage, current, thisArg, args));
  if (!undo) return undefined;
  const found = { owners: new Set<object>(), undo };
  const methods = traced.get(instance) ?? new Map<string, TracedInstance>();
  traced.set(instance, methods.set(method, found));
  return found;
}

import { createContextKey, type Context } from '@opentelemetry/api';

/** Whether the next trace is to be kept, by a caller that has no trace of its own. */
export interface Wish {
  readonly sampled: boolean;
  readonly debug: boolean;
}

const WISH = createContextKey('nestjs-tracing wish of the caller');

/** A context in which a trace that begins is to follow a wish. */
export function withWish(context: Context, wish: Wish): Context {
  return context.setValue(WISH, wish);
}

/** The wish that a trace is to follow which begins in this context. */
export function wishIn(context: Context): Wish | undefined {
  return context.getValue(WISH) as Wish | undefined;
}

import type { FixedValues } from '../options/fixed-values.js';
import { stopClock } from './clock.js';
import { drawWordsFrom } from './trace-ids.js';

let current: FixedValues | undefined;

/** Gives spans the ids and the time that a test has fixed, until the returned function is called. */
export function fixValues(values: FixedValues): () => void {
  apply(values);
  return () => {
    // The next application may have started already, with values of its own.
    if (current === values) apply(undefined);
  };
}

function apply(values: FixedValues | undefined): void {
  current = values;
  drawWordsFrom(values?.nextWord);
  stopClock(values?.time);
}

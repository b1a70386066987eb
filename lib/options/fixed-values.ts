/** Ids and times that a test fixes, so that a snapshot of its spans is stable. No option of an application sets them. */
export interface FixedValues {
  /** Returns the next 32 bits of an id, as a signed integer. Undefined if ids are random. */
  readonly nextWord: (() => number) | undefined;
  /** The time of every span, in milliseconds since the epoch. Undefined if the clock runs. */
  readonly time: number | undefined;
}

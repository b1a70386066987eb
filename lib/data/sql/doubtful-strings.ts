import { hasMarkBehindBackslash } from './token-ends.js';

/** Finds the strings whose end depends on the meaning of a backslash. Most statements have no backslash at all. */
export class DoubtfulStrings {
  /** The index of the quote of the first one. Undefined if there is none so far. */
  first: number | undefined;
  /** The index of the next backslash. It is the length of the text behind the last one. */
  #backslash = -1;

  constructor(private readonly sql: string) {}

  /** Adds a string, which goes from `start` to `end`. They come in their order. */
  add(start: number, end: number, mark: string): void {
    if (this.first !== undefined) return;
    while (this.#backslash < start) {
      const next = this.sql.indexOf('\\', this.#backslash + 1);
      this.#backslash = next === -1 ? this.sql.length : next;
    }
    if (this.#backslash < end && hasMarkBehindBackslash(this.sql, start, end, mark)) this.first = start;
  }
}

/** The ids 1, 2, 3 and so on: a span has the next one, and a trace the next two. */
export class SequentialIds {
  #words = 0;

  /** Returns the next half of an id. */
  readonly nextWord = (): number => (this.#words++ % 2 === 0 ? 0 : this.#words / 2);

  restart(): void {
    this.#words = 0;
  }
}

/** Remembers the values that were used most recently: the last ones up to a number, and at most twice as many. */
export class Recent<Value> {
  #newer = new Map<string, Value>();
  #older = new Map<string, Value>();

  constructor(private readonly atLeast: number) {}

  get(key: string): Value | undefined {
    const newer = this.#newer.get(key);
    if (newer !== undefined) return newer;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: Value): void {
    if (this.#newer.size >= this.atLeast) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, value);
  }
}

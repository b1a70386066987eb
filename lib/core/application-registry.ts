/** An application that takes part in something which the process has only once. */
export interface RegisteredApplication<T> {
  readonly value: T;
  /** Keeps the application, whose start has succeeded, also if another one that began meanwhile has superseded it. */
  acquire(): void;
  /** Says that the application is not up after all: the next one that starts supersedes it. */
  release(): void;
  /** Removes the application, which has shut down. Idempotent. */
  remove(): void;
}

/** An entry as every copy of the library sees it. */
interface Entry<T> {
  readonly value: T;
  /** The copy of the library that the application uses. */
  readonly copy: object;
  isUp: boolean;
  readonly removed: (() => void) | undefined;
}

const THIS_COPY = {};

/**
 * The applications of a process that share something which belongs to the process: its outgoing requests, say, are traced as the
 * newest application says. An application whose start has failed must not take part, but Nest does not report that: so one that
 * is not up yet is superseded by the next one that starts.. The list is shared by every copy of this library.
 */
export class ApplicationRegistry<T> {
  private readonly key: symbol;

  /**
   * @param name the same in every copy of the library; it has to change with the meaning of `T`
   * @param holder returns the object that the list is kept on
   */
  constructor(
    name: string,
    private readonly holder: () => object,
  ) {
    this.key = Symbol.for(name);
  }

  /**
   * Adds an application that starts.
   *
   * @param removed called when the application leaves the list, also if it is superseded
   */
  add(value: T, removed?: () => void): RegisteredApplication<T> {
    for (const entry of this.entries.filter(({ isUp }) => !isUp)) this.remove(entry);
    const entry: Entry<T> = { value, copy: THIS_COPY, isUp: false, removed };
    this.entries.push(entry);
    return {
      value,
      acquire: () => {
        entry.isUp = true;
        if (!this.entries.includes(entry)) this.entries.push(entry);
      },
      release: () => {
        entry.isUp = false;
      },
      remove: () => {
        entry.isUp = false;
        this.remove(entry);
      },
    };
  }

  /** The applications, oldest first. */
  get all(): readonly T[] {
    return this.entries.map(({ value }) => value);
  }

  /** True if an application of this copy of the library takes part. */
  get hasOwn(): boolean {
    return this.entries.some(({ copy }) => copy === THIS_COPY);
  }

  /** The newest application, if it uses this copy of the library: else the other copy does what is to be done. */
  get newest(): T | undefined {
    const newest = this.entries.at(-1);
    return newest?.copy === THIS_COPY ? newest.value : undefined;
  }

  private get entries(): Entry<T>[] {
    const holder = this.holder() as { [key: symbol]: Entry<T>[] | undefined };
    return (holder[this.key] ??= []);
  }

  private remove(entry: Entry<T>): void {
    const { entries } = this;
    const index = entries.indexOf(entry);
    if (index === -1) return;
    entries.splice(index, 1);
    entry.removed?.();
  }
}

/** An application that uses something which the process has only once. */
export interface RegisteredApplication<T> {
  readonly value: T;
  /** Marks the application as up. An application that was superseded while it started is added again. */
  acquire(): void;
  /** Marks the application as not up after all: the next application that starts supersedes it. */
  release(): void;
  /** Removes the application, which has shut down. Idempotent. */
  remove(): void;
}

/** An entry of the list, whose shape every copy of the library shares. */
interface Entry<T> {
  readonly value: T;
  /** The copy of the library that the application uses. */
  readonly copy: object;
  isUp: boolean;
  readonly onRemoved: (() => void) | undefined;
}

const THIS_COPY = {};

/**
 * The applications of a process that share something which belongs to the process. Its outgoing requests, for example, are traced with the
 * options of the newest application. An application whose start has failed must not take part, but Nest does not report a failed start: so
 * an application that is not up yet is superseded by the next one that starts. All copies of this library share the list.
 */
export class ApplicationRegistry<T> {
  private readonly key: symbol;

  /**
   * @param name the same in every copy of the library; it has to change when the shape of `T` does
   * @param holder returns the object that the list is a property of
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
   * @param onRemoved called when the application is removed from the list, also if it is superseded
   */
  add(value: T, onRemoved?: () => void): RegisteredApplication<T> {
    for (const entry of this.entries.filter(({ isUp }) => !isUp)) this.remove(entry);
    const entry: Entry<T> = { value, copy: THIS_COPY, isUp: false, onRemoved };
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

  /** The values of the applications, oldest first. */
  get all(): readonly T[] {
    return this.entries.map(({ value }) => value);
  }

  /** True if an application of this copy of the library takes part. */
  get hasOwnApplications(): boolean {
    return this.entries.some(({ copy }) => copy === THIS_COPY);
  }

  /** The value of the newest application. Undefined if that one uses another copy of the library, which then does the work. */
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
    entry.onRemoved?.();
  }
}

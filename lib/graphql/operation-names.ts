/** The number of characters of an operation's name in the name of a span. */
const MAX_LENGTH = 64;
/** The number of different operation names in the names of spans. Clients can invent any number. */
const MAX_NAMES = 200;

/** Decides which names of operations may be part of the name of a span. */
export class OperationNames {
  private readonly known = new Set<string>();

  constructor(private readonly isEnabled: boolean) {}

  /** Returns the name of a span: the type and the name of the operation. Undefined if it has no name that may be part of it. */
  spanName(type: string, name: string | undefined): string | undefined {
    return name !== undefined && this.admits(name) ? `${type} ${name}` : undefined;
  }

  private admits(name: string): boolean {
    if (!this.isEnabled || name.length > MAX_LENGTH) return false;
    if (this.known.has(name)) return true;
    if (this.known.size >= MAX_NAMES) return false;
    this.known.add(name);
    return true;
  }
}

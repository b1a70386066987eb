/** The number of characters of an operation's name in the name of a span. */
const MAX_LENGTH = 64;
/** The number of different operation names in the names of spans. Clients can invent any number. */
const MAX_NAMES = 200;

/** Decides which names of operations may be part of the name of a span. */
export class OperationNames {
  private readonly known = new Set<string>();

  constructor(private readonly isEnabled: boolean) {}

  /** Returns the name of a span: the type of the operation, and its name if there are few enough of them. */
  spanName(type: string, name: string | undefined): string {
    return name !== undefined && this.admits(name) ? `${type} ${name}` : type;
  }

  private admits(name: string): boolean {
    if (!this.isEnabled || name.length > MAX_LENGTH) return false;
    if (this.known.has(name)) return true;
    if (this.known.size >= MAX_NAMES) return false;
    this.known.add(name);
    return true;
  }
}

/** The number of characters of an operation's name in the name of a span, and as a label of metrics. */
const MAX_LENGTH = 64;
/** The number of different operation names in the names of spans, and as labels of metrics. Clients can invent any number. */
const MAX_NAMES = 200;
/** Stands for all other names on metrics, as for unknown methods of HTTP. */
const OTHER = '_OTHER';

/** Decides which names of operations may be part of the name of a span, and a label of metrics. */
export class OperationNames {
  private readonly known = new Set<string>();

  constructor(private readonly isEnabled: boolean) {}

  /** Returns the name of a span: the type of the operation, and its name if there are few enough of them. */
  spanName(type: string, name: string | undefined): string {
    return name !== undefined && this.admits(name) ? `${type} ${name}` : type;
  }

  /** Returns the name on metrics. Undefined if the operation has no name, or if names are not wanted. */
  metricName(name: string | undefined): string | undefined {
    if (name === undefined || !this.isEnabled) return undefined;
    return this.admits(name) ? name : OTHER;
  }

  private admits(name: string): boolean {
    if (!this.isEnabled || name.length > MAX_LENGTH) return false;
    if (this.known.has(name)) return true;
    if (this.known.size >= MAX_NAMES) return false;
    this.known.add(name);
    return true;
  }
}

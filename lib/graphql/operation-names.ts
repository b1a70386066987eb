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

  /** Returns the name of the operation's own span: its type, and its name if the operation has one that may be part of it. */
  spanName(type: string, name: string | undefined): string {
    return this.requestName(type, name) ?? type;
  }

  /**
   * Returns the name that the operation gives to the span of its request. Undefined if it has no name that may be part of it: the span keeps
   * the name of its route then, which tells more than the type alone.
   */
  requestName(type: string, name: string | undefined): string | undefined {
    return name !== undefined && this.admits(name) ? `${type} ${name}` : undefined;
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

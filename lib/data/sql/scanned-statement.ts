/** A SQL statement without its literals. */
export interface ScannedStatement {
  /** The text, in which `?` stands for each literal. Comments are left out: they may hold anything. */
  readonly text: string;
  /** The operations and their tables. Empty if nothing is known of them. */
  readonly summary: string;
}

/** A statement as it is read by the rules of one dialect. */
export interface StatementReading extends ScannedStatement {
  /** The indexes of the start and the end of each literal, in their order. */
  readonly literals: readonly number[];
  /** True if each string, quoted name and comment has an end. */
  readonly isComplete: boolean;
  /** True if a backslash stands outside of them, where it has no meaning. */
  readonly hasStrayBackslash: boolean;
  /** The index of the quote of the first string whose end depends on the meaning of a backslash. */
  readonly doubtfulAt: number | undefined;
}

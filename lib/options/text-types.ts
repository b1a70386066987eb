/**
 * A boolean, or the text `true` or `false`, as variables and configuration files have it. Another text stops the start. The compiler accepts
 * it, because it does not know the text of a variable.
 */
export type BooleanOption = boolean | string;

/** A number, or its text, as variables and configuration files have it. Another text stops the start. */
export type NumberOption = number | string;

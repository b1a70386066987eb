/** A boolean, or its text, as variables and configuration files have it. */
export type BooleanOption = boolean | 'true' | 'false';

/** A number, or its text, as variables and configuration files have it. */
export type NumberOption = number | `${number}`;

/** The lexical rules of a SQL dialect: where its literals, names and comments begin and end. */
export interface SqlDialect {
  /** The meaning of double quotes. They may be both: a name, and a string where a value is expected. */
  readonly doubleQuotes: 'string' | 'name' | 'name or string';
  /** True if the arguments of a procedure may be words without quotes, and statements need no semicolon between them. */
  readonly hasUnquotedArguments: boolean;
  /** True if a backslash escapes a character in every string. */
  readonly hasBackslashEscapes: boolean;
  /** The dialect by another setting of the server, which gives backslashes in strings the other meaning. Undefined if there is none. */
  readonly otherBackslashes: SqlDialect | undefined;
  /** True if a string with the prefix E has escapes. */
  readonly hasEscapeStrings: boolean;
  /** True if names may stand in backticks. */
  readonly hasBackticks: boolean;
  /** True if names may stand in square brackets. */
  readonly hasBrackets: boolean;
  /** True if strings may stand between `$$` or `$tag$`. */
  readonly hasDollarQuotes: boolean;
  /** True if `#` starts a comment, `--` only with a space after it, and the text of `/*! … *\/` is executed. */
  readonly hasMysqlComments: boolean;
  /** True if a carriage return ends a comment that begins with `--`, as a line feed does in every dialect. */
  readonly endsCommentsAtReturn: boolean;
  /** True if comments may be nested. */
  readonly nestsComments: boolean;
  /** True if strings may have delimiters of their own: `q'[ … ]'`. */
  readonly hasQuoteOperator: boolean;
  /** The characters that a parameter or a variable may start with. A question mark is a parameter in every dialect. */
  readonly parameterPrefixes: string;
}

const STANDARD: SqlDialect = {
  doubleQuotes: 'name',
  hasUnquotedArguments: false,
  hasBackslashEscapes: false,
  otherBackslashes: undefined,
  hasEscapeStrings: false,
  hasBackticks: false,
  hasBrackets: false,
  hasDollarQuotes: false,
  hasMysqlComments: false,
  endsCommentsAtReturn: false,
  nestsComments: false,
  hasQuoteOperator: false,
  parameterPrefixes: '',
};

const POSTGRESQL_BASE: SqlDialect = {
  ...STANDARD,
  hasDollarQuotes: true,
  hasEscapeStrings: true,
  endsCommentsAtReturn: true,
  nestsComments: true,
};

/** The other setting is `standard_conforming_strings = off`. */
export const POSTGRESQL: SqlDialect = {
  ...POSTGRESQL_BASE,
  otherBackslashes: { ...POSTGRESQL_BASE, hasBackslashEscapes: true },
};

const MYSQL_BASE: SqlDialect = {
  ...STANDARD,
  doubleQuotes: 'string',
  hasBackticks: true,
  hasMysqlComments: true,
  parameterPrefixes: '@:',
};

/** The other setting is the mode `NO_BACKSLASH_ESCAPES`. */
export const MYSQL: SqlDialect = { ...MYSQL_BASE, hasBackslashEscapes: true, otherBackslashes: MYSQL_BASE };

export const SQL_SERVER: SqlDialect = {
  ...STANDARD,
  doubleQuotes: 'name or string',
  hasUnquotedArguments: true,
  hasBrackets: true,
  nestsComments: true,
  parameterPrefixes: '@',
};

export const SQLITE: SqlDialect = {
  ...STANDARD,
  doubleQuotes: 'name or string',
  hasBackticks: true,
  hasBrackets: true,
  parameterPrefixes: '@:$',
};

export const ORACLE: SqlDialect = { ...STANDARD, hasQuoteOperator: true, parameterPrefixes: ':' };

/** The lexical rules of a SQL dialect: where its literals, names and comments begin and end. */
export interface SqlDialect {
  /** The meaning of double quotes. They may be both: a name, and a string where a value is expected. */
  readonly doubleQuotes: 'string' | 'name' | 'name or string';
  /** True if the arguments of a procedure may be words without quotes. */
  readonly hasUnquotedArguments: boolean;
  /** True if a backslash escapes a character in every string, rather than only in strings with the prefix E. */
  readonly hasBackslashEscapes: boolean;
  /** True if names may stand in backticks. */
  readonly hasBackticks: boolean;
  /** True if names may stand in square brackets. */
  readonly hasBrackets: boolean;
  /** True if strings may stand between `$$` or `$tag$`. */
  readonly hasDollarQuotes: boolean;
  /** True if `#` starts a comment, `--` only with a space after it, and the text of `/*! … *\/` is executed. */
  readonly hasMysqlComments: boolean;
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
  hasBackticks: false,
  hasBrackets: false,
  hasDollarQuotes: false,
  hasMysqlComments: false,
  nestsComments: false,
  hasQuoteOperator: false,
  parameterPrefixes: '',
};

export const POSTGRESQL: SqlDialect = { ...STANDARD, hasDollarQuotes: true, nestsComments: true };

export const MYSQL: SqlDialect = {
  ...STANDARD,
  doubleQuotes: 'string',
  hasBackslashEscapes: true,
  hasBackticks: true,
  hasMysqlComments: true,
  parameterPrefixes: '@:',
};

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

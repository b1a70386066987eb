/** A part of a message that quotes values, and what is recorded in its place. */
interface QuotedValues {
  /** A text of every such message. Most messages have none of these, and a search for a text takes no time. */
  readonly mark: string;
  readonly pattern: RegExp;
  readonly shown: string;
}

/**
 * The messages by which ORMs themselves refuse to do something: the conditions of a query that has found nothing, the parameters of one that has
 * failed, and values of a wrong type. The error of a driver is withheld as a whole.
 */
const MESSAGES: readonly QuotedValues[] = [
  // Drizzle
  { mark: '\nparams: ', pattern: /\bFailed query: [^]*\nparams: [^]*/, shown: 'Failed query' },
  // TypeORM
  { mark: ' matching: ', pattern: /( any entity of type "[^"]*" matching: )[^]+/, shown: '$1?' },
  // MikroORM
  {
    mark: ' not found (',
    // A number is an id, and applications have such messages as well.
    pattern: /\b([A-Z]\w* not found) \((?:[{['"`]|[A-Z]\w* [{[])[^]*/,
    shown: '$1 (?)',
  },
  {
    mark: ' entities found for query ',
    pattern: /( entities found for query )[^]+(, expected exactly one)/,
    shown: '$1?$2',
  },
  { mark: 'Trying to set ', pattern: /(Trying to set \S+ of type '[^']*') to [^]*/, shown: '$1' },
  { mark: ' is required, ', pattern: /(Value for \S+ is required), [^]*/, shown: '$1' },
  {
    mark: ', payload: ',
    pattern: /(is not allowed, move the operator above\. \(property: [^,]*), payload: [^]*/,
    shown: '$1)',
  },
  { mark: ' expected for property ', pattern: /(Entity of type \S+ expected for property [^\s,]+), [^]*/, shown: '$1' },
  { mark: 'Could not convert ', pattern: /(Could not convert \S+ value) [^]*( of type )/, shown: '$1$2' },
  // Sequelize
  {
    mark: 'findOrCreate: value used for ',
    pattern: /(was not equal for both the find and the create calls), [^]*/,
    shown: '$1',
  },
];

/** Removes from a message what it quotes of a query, if it is that of an ORM. An application may have created its own error from it. */
export function withoutQuotedValues(message: string): string {
  let shown = message;
  for (const quoted of MESSAGES) if (shown.includes(quoted.mark)) shown = shown.replace(quoted.pattern, quoted.shown);
  return shown;
}

import { characterAfter, characterBefore, isOneOf, isWordPart } from './characters.js';

/** The part of a statement that a text in double quotes stands in. */
type Clause =
  /** Tables and their aliases, and lists of names. */
  | 'names'
  /** The object of a statement, whose name may be followed by a list of names. */
  | 'object'
  /** The results of a query. They are columns only if the query has a table. */
  | 'results'
  /** Lists of columns, as behind ORDER BY. */
  | 'columns'
  /** The assignments of an UPDATE. */
  | 'assignments'
  /** Conditions, arguments of functions, and values. */
  | 'operands';

/** The text between two parentheses, or outside of all. */
interface Level {
  clause: Clause;
  /** True if FROM names tables here, rather than being a part of a function. */
  isQuery: boolean;
  /** True if the query has a table. Undefined until it matters. */
  hasTable?: boolean | undefined;
}

/** The clauses, by the words that they begin with. */
const CLAUSES = new Map<string, Clause>([
  ...startingWith('SELECT', 'results'),
  ...startingWith('FROM JOIN UPDATE', 'names'),
  ...startingWith('INSERT INTO TABLE INDEX VIEW WITH', 'object'),
  ...startingWith('SET', 'assignments'),
  ...startingWith('BY RETURNING OUTPUT', 'columns'),
  ...startingWith('WHERE HAVING ON VALUES LIMIT OFFSET', 'operands'),
]);

/** The length of the longest of these words. */
const MAX_CLAUSE_WORD = 9;

/** The words before the name of an object. What follows the name, other than a list of names, is about something else. */
const BEFORE_OBJECT = wordSet('INSERT INTO TABLE INDEX VIEW WITH RECURSIVE ON IF NOT EXISTS OR REPLACE IGNORE ONLY');

/** The words before a value. */
const BEFORE_VALUE = wordSet(
  `LIKE GLOB MATCH REGEXP BETWEEN ESCAPE IS THEN ELSE KEY DEFAULT LIMIT OFFSET ROWS RANGE GROUPS PRINT RETURN RAISERROR THROW DELAY TIME ZONE
  BULK`,
);

/** The words before a condition. */
const BEFORE_OPERAND = wordSet('WHERE AND OR NOT ON HAVING WHEN CASE IF WHILE VALUES');

/** The words behind which the clause decides. */
const BEFORE_ITEM = wordSet('SELECT DISTINCT ALL BY RETURNING OUTPUT SET FROM JOIN');

/** The words before a list of names in parentheses. */
const BEFORE_NAMES = wordSet('CONFLICT USING KEY UNIQUE TABLE');

/** The words before parentheses that belong to no object, although the word before may have named one. */
const BEFORE_GROUP = new Set([
  ...wordSet('AS IN EXISTS OVER FILTER CHECK MATERIALIZED TOP'),
  ...BEFORE_VALUE,
  ...BEFORE_OPERAND,
  ...BEFORE_ITEM,
]);

/** The characters before a value. */
const OPERATORS = '=<>!~|+*/%-';

const VALUE = String.raw`(?:(?:NULL|TRUE|FALSE)\b|[NX]?'|[-+]?[\d.]|[?:@$]|"[^"]*"(?!\s*\.))`;

/** The rest of an expression in which a column is compared or calculated with a literal, a placeholder, or another text in double quotes. */
const COMPARISON = new RegExp(
  String.raw`\s*(?:(?:NOT\s+)?(?:LIKE|GLOB|MATCH|REGEXP|BETWEEN)\b\s*${VALUE}|(?:NOT\s+)?IN\s*\(\s*${VALUE}` +
    String.raw`|IS\s+(?:NOT\s+)?NULL\b|(?:[=<>!]{1,3}|[-+*/%])\s*${VALUE})`,
  'iy',
);

/** The end of an item of a list. Anything else goes on with an operator. */
const ITEM_END = /\s*(?:$|[,);"]|(?!(?:NOT|LIKE|GLOB|MATCH|REGEXP|BETWEEN|IN|IS|AND|OR)\b)[a-z_])/iy;

/** The nesting of parentheses beyond which nothing is a name. */
const MAX_DEPTH = 100;

/**
 * Tells names in double quotes from strings, where the database reads them as strings if there is no column of that name. Without the schema it
 * cannot be known, so a text is a name only where a name is usual: as a table, an alias, in lists of names, as a column that is selected, sorted
 * by, assigned to, or compared with a value. Anywhere else it is a string, as in the arguments of a function.
 */
export class DoubleQuotes {
  #level: Level = { clause: 'operands', isQuery: true };
  readonly #outer: Level[] = [];
  /** The number of open parentheses beyond `MAX_DEPTH`. */
  #tooDeep = 0;

  constructor(private readonly sql: string) {}

  addWord(word: string, previous: string): void {
    if (this.#tooDeep > 0) return;
    const level = this.#level;
    const upper = word.length > MAX_CLAUSE_WORD ? '' : word.toUpperCase();
    const clause = CLAUSES.get(upper);
    if (clause === undefined) {
      if (level.clause === 'object' && previous !== '' && !BEFORE_OBJECT.has(previous.toUpperCase()) && upper !== 'AS')
        level.clause = 'operands';
      return;
    }
    // `EXTRACT(year FROM a)`, `a IS DISTINCT FROM b`, `CREATE INDEX i ON t`
    if (upper === 'FROM' && (!level.isQuery || previous.toUpperCase() === 'DISTINCT')) return;
    if (upper === 'ON' && level.clause === 'object') return;
    level.clause = clause;
    if (upper !== 'SELECT') return;
    level.isQuery = true;
    level.hasTable = undefined;
  }

  /** @param word the word directly before the parenthesis */
  open(at: number, word: string): void {
    if (this.#outer.length >= MAX_DEPTH) {
      this.#tooDeep++;
      return;
    }
    const outer = this.#level;
    this.#outer.push(outer);
    this.#level = this.#levelIn(outer, word.toUpperCase(), characterBefore(this.sql, at));
  }

  close(): void {
    if (this.#tooDeep > 0) this.#tooDeep--;
    else this.#level = this.#outer.pop() ?? this.#level;
  }

  endStatement(): void {
    this.#outer.length = 0;
    this.#tooDeep = 0;
    this.#level = { clause: 'operands', isQuery: true };
  }

  /**
   * True if a text in double quotes, which goes from `start` to `end`, is a name.
   *
   * @param previous the word directly before it
   */
  isName(start: number, end: number, previous: string, beforePrevious: string): boolean {
    const { sql } = this;
    const before = characterBefore(sql, start);
    const after = characterAfter(sql, end);
    if (before === '.' || after === '.' || after === '(') return true;
    if (this.#tooDeep > 0 || before === '' || isOneOf(OPERATORS, before)) return false;
    if (previous === '') return this.#followsOperand(before) || this.#isItem(end, after);
    const word = previous.toUpperCase();
    if (BEFORE_VALUE.has(word)) return false;
    if (word === 'FROM' && beforePrevious.toUpperCase() === 'DISTINCT') return false;
    if (BEFORE_OPERAND.has(word)) return matchesAt(COMPARISON, sql, end);
    return !BEFORE_ITEM.has(word) || this.#isItem(end, after);
  }

  #levelIn({ clause }: Level, word: string, before: string): Level {
    if (BEFORE_NAMES.has(word)) return { clause: 'names', isQuery: false };
    if (clause === 'object' && !BEFORE_GROUP.has(word) && this.#followsOperand(before))
      return { clause: 'names', isQuery: false };
    // A list of tables: `FROM (a JOIN b)`
    const isInTables = clause === 'names' && (word === 'FROM' || word === 'JOIN' || isOneOf(',(', before));
    return isInTables ? { clause: 'names', isQuery: true } : { clause: 'operands', isQuery: false };
  }

  /** True behind a name, a literal or a parenthesis: only an alias can follow. */
  #followsOperand(before: string): boolean {
    return isOneOf(')]"`\'?', before) || isWordPart(before.charCodeAt(0));
  }

  #isItem(end: number, after: string): boolean {
    const level = this.#level;
    const { clause } = level;
    if (clause === 'names' || clause === 'object') return true;
    if (clause === 'assignments' && after === '=') return true;
    if (clause === 'columns' || (clause === 'results' && (level.hasTable ??= isFromBehind(this.sql, end))))
      if (matchesAt(ITEM_END, this.sql, end)) return true;
    return matchesAt(COMPARISON, this.sql, end);
  }
}

/** A word, a parenthesis, the end of a statement, or a text in quotes. */
const TOKEN = /[a-z_][\w$]*|[();]|'[^']*'|"[^"]*"|`[^`]*`|\[[^[\]]*\]/gi;

/** True if a FROM of the same query stands behind an index in its results. */
function isFromBehind(sql: string, start: number): boolean {
  const tokens = new RegExp(TOKEN);
  tokens.lastIndex = start;
  let depth = 0;
  for (let match = tokens.exec(sql); match; match = tokens.exec(sql)) {
    const token = match[0];
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth === 0 && /^(?:FROM|SELECT|;)$/i.test(token)) return /^FROM$/i.test(token);
    if (depth < 0) return false;
  }
  return false;
}

function matchesAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

function startingWith(words: string, clause: Clause): [string, Clause][] {
  return words.split(' ').map((word) => [word, clause]);
}

function wordSet(words: string): Set<string> {
  return new Set(words.split(/\s+/));
}

import {
  AFTER_SOURCES,
  BEFORE_OPERATION,
  BEFORE_TARGET,
  DEFINITIONS,
  KEYWORDS,
  NOT_A_TARGET,
  OBJECT_KINDS,
  WITH_SOURCE,
  WITH_TARGET,
} from './summary-words.js';

/** The kinds of tokens that a summary is made of. */
export type Token = 'word' | 'name' | 'dot' | 'comma' | 'open' | 'close' | 'semicolon' | 'other';

/** The limit of the semantic conventions. */
const MAX_LENGTH = 255;

/** The nesting of parentheses beyond which nothing is added to a summary. */
const MAX_DEPTH = 100;

const PLAIN_NAME = /^[\w$]+$/;

/** What the text between two parentheses, or outside of all, is about. */
interface Level {
  /** True until the operation of the level is known. */
  expectsOperation: boolean;
  operation: string;
  /** True in the list of tables of a FROM. */
  isInSources: boolean;
  /** True in the names of common table expressions. */
  isInWith: boolean;
}

/**
 * Builds a summary of a SQL statement from its tokens, such as `INSERT shipping_details SELECT orders`: the operations and the tables, in
 * their order, as they are written.
 */
export class SummaryBuilder {
  #summary = '';
  #isFull = false;
  #level: Level = newLevel(false);
  readonly #outer: Level[] = [];
  #expects: 'nothing' | 'target' | 'object kind' | 'expression name' = 'nothing';
  /** The name that is being read; its parts are separated by dots. */
  #name = '';
  #isAfterDot = false;
  /** CREATE, ALTER or DROP, until the kind of object is known. */
  #definition = '';
  #previousWord = '';
  /** The length of the summary at the beginning of the statement. */
  #statementStart = 0;
  /** The part of the summary about the statement before. */
  #lastStatement = '';
  /** The names of the common table expressions, which are no tables. */
  #expressions: Set<string> | undefined;

  /** @param text the token, which only words and names need; quotes included */
  add(token: Token, text = ''): void {
    if (this.#isFull || (this.#name !== '' && this.#continueName(token, text))) return;
    switch (token) {
      case 'word':
        this.#addWord(text, KEYWORDS.get(text) ?? '');
        break;
      case 'name':
        this.#addName(text);
        break;
      case 'comma':
        if (this.#level.isInWith) this.#expects = 'expression name';
        else this.#expects = this.#level.isInSources ? 'target' : 'nothing';
        break;
      case 'open':
        this.#open();
        break;
      case 'close':
        this.#close();
        break;
      case 'semicolon':
        this.#startStatement();
        break;
      default:
        this.#expects = 'nothing';
        this.#previousWord = '';
    }
  }

  /** Returns the summary of all tokens. Empty if nothing is known of the statement. */
  finish(): string {
    if (this.#name !== '' && !this.#isFull) this.#finishName(false);
    this.#foldStatement();
    return this.#summary;
  }

  #continueName(token: Token, text: string): boolean {
    if (token === 'dot') {
      this.#isAfterDot = true;
      return true;
    }
    if (this.#isAfterDot && (token === 'word' || token === 'name')) {
      this.#isAfterDot = false;
      this.#name += `.${withoutQuotes(text)}`;
      return true;
    }
    this.#finishName(token === 'open');
    return this.#isFull;
  }

  #finishName(isCalled: boolean): void {
    const name = this.#name;
    this.#name = '';
    this.#isAfterDot = false;
    // A function that returns rows is no table.
    if (isCalled && this.#level.isInSources) return;
    if (!this.#expressions?.has(name.toLowerCase())) this.#push(name);
  }

  #addName(text: string): void {
    if (this.#expects === 'target') this.#name = withoutQuotes(text);
    else if (this.#expects === 'expression name') this.#addExpression(withoutQuotes(text));
    this.#expects = 'nothing';
    this.#previousWord = '';
  }

  #addExpression(name: string): void {
    this.#expressions ??= new Set();
    this.#expressions.add(name.toLowerCase());
  }

  #addWord(word: string, upper: string): void {
    const previous = this.#previousWord;
    this.#previousWord = upper;
    const level = this.#level;
    if (upper === 'SELECT') {
      this.#startOperation(word, upper);
    } else if (this.#expects === 'object kind') {
      this.#addObjectKind(word, upper);
    } else if (this.#expects === 'expression name') {
      if (upper !== 'RECURSIVE') {
        this.#addExpression(word);
        this.#expects = 'nothing';
      }
    } else if (this.#expects === 'target') {
      this.#addTarget(word, upper);
    } else if (level.expectsOperation) {
      this.#addFirstWord(word, upper);
    } else if (upper === 'TRANSACTION' && previous === 'START') {
      this.#push(word);
    } else {
      this.#addClause(upper, previous);
    }
  }

  #addTarget(word: string, upper: string): void {
    if (BEFORE_TARGET.has(upper)) return;
    this.#expects = 'nothing';
    const { expectsOperation } = this.#level;
    // In parentheses after FROM there is a query or a list of tables.
    if (expectsOperation && (WITH_TARGET.has(upper) || upper === 'WITH')) this.#addFirstWord(word, upper);
    else if (!NOT_A_TARGET.has(upper)) this.#name = word;
    else this.#addClause(upper, '');
    this.#level.expectsOperation = false;
  }

  /** Adds the first word of a statement, of a query in parentheses, or after the common table expressions. */
  #addFirstWord(word: string, upper: string): void {
    const level = this.#level;
    if (WITH_TARGET.has(upper)) {
      this.#startOperation(word, upper);
      this.#expects = 'target';
    } else if (upper === 'WITH') {
      level.isInWith = true;
      this.#expects = 'expression name';
    } else if (level.isInWith || this.#outer.length > 0) {
      // It is a word such as AS or MATERIALIZED, or an expression in parentheses.
      if (!level.isInWith) level.expectsOperation = false;
    } else if (DEFINITIONS.has(upper)) {
      level.expectsOperation = false;
      this.#definition = word;
      this.#expects = 'object kind';
    } else if (level.operation === '') {
      level.operation = upper || word;
      level.expectsOperation = BEFORE_OPERATION.has(upper);
      this.#push(word);
    }
  }

  #startOperation(word: string, upper: string): void {
    const level = this.#level;
    level.operation = upper;
    level.expectsOperation = false;
    level.isInSources = false;
    level.isInWith = false;
    this.#expects = 'nothing';
    this.#push(word);
  }

  #addObjectKind(word: string, upper: string): void {
    if (!OBJECT_KINDS.has(upper)) return;
    this.#push(`${this.#definition} ${word}`);
    this.#definition = '';
    this.#expects = 'target';
  }

  #addClause(upper: string, previous: string): void {
    const level = this.#level;
    const { operation } = level;
    if (upper === 'FROM' && WITH_SOURCE.has(operation) && previous !== 'DISTINCT') {
      level.isInSources = true;
      this.#expects = 'target';
    } else if (upper === 'JOIN' || upper === 'APPLY' || (upper === 'INTO' && operation === 'SELECT')) {
      level.isInSources ||= upper !== 'INTO';
      this.#expects = upper === 'INTO' ? 'nothing' : 'target';
    } else if (upper === 'USING' && (operation === 'MERGE' || (operation === 'DELETE' && !level.isInSources))) {
      level.isInSources = true;
      this.#expects = 'target';
    } else if (AFTER_SOURCES.has(upper)) {
      level.isInSources = false;
    }
  }

  #open(): void {
    if (this.#outer.length >= MAX_DEPTH) {
      this.#isFull = true;
      return;
    }
    const isInSources = this.#expects === 'target' && this.#level.isInSources;
    this.#outer.push(this.#level);
    this.#level = newLevel(isInSources);
    if (!isInSources) this.#expects = 'nothing';
    this.#previousWord = '';
  }

  #close(): void {
    this.#level = this.#outer.pop() ?? this.#level;
    this.#expects = 'nothing';
    this.#previousWord = '';
  }

  /** Leaves a statement out that is about the same as the one before: any number of them has one summary. */
  #foldStatement(): void {
    // The kind of object may be one that this class does not know.
    if (this.#definition !== '' && this.#summary.length === this.#statementStart) this.#push(this.#definition);
    this.#definition = '';
    const statement = this.#summary.slice(this.#statementStart).trim();
    if (statement !== '' && statement === this.#lastStatement)
      this.#summary = this.#summary.slice(0, this.#statementStart);
    else if (statement !== '') this.#lastStatement = statement;
    this.#statementStart = this.#summary.length;
  }

  #startStatement(): void {
    this.#foldStatement();
    this.#outer.length = 0;
    this.#level = newLevel(false);
    this.#expects = 'nothing';
    this.#expressions = undefined;
    this.#previousWord = '';
  }

  #push(part: string): void {
    const length = this.#summary === '' ? part.length : this.#summary.length + 1 + part.length;
    // Half a name would be another name.
    if (length > MAX_LENGTH) this.#isFull = true;
    else this.#summary = this.#summary === '' ? part : `${this.#summary} ${part}`;
  }
}

function newLevel(isInSources: boolean): Level {
  return { expectsOperation: true, operation: '', isInSources, isInWith: false };
}

/** Returns a quoted name without its quotes, if it can be read without them. */
function withoutQuotes(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  const inner = name.slice(1, -1);
  return PLAIN_NAME.test(inner) ? inner : name;
}

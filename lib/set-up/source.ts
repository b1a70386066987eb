import type ts from 'typescript';
import type { TypeScript } from './load-typescript.js';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A source file and the edits of it. Everything that is not edited keeps its form, and what is added takes the form of the rest. */
export class Source {
  readonly ast: ts.SourceFile;
  readonly newline: string;
  readonly quote: string;
  readonly semicolon: string;
  private readonly edits: Edit[] = [];

  constructor(
    readonly ts: TypeScript,
    readonly path: string,
    readonly text: string,
  ) {
    this.ast = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    this.newline = text.includes('\r\n') ? '\r\n' : '\n';
    const [first] = this.imports;
    this.quote = first && text[first.moduleSpecifier.getStart()] === '"' ? '"' : "'";
    this.semicolon = !first || first.getText().endsWith(';') ? ';' : '';
  }

  get imports(): ts.ImportDeclaration[] {
    return this.ast.statements.filter((statement) => this.ts.isImportDeclaration(statement));
  }

  get isEdited(): boolean {
    return this.edits.length > 0;
  }

  /** The text with all edits. */
  get edited(): string {
    return this.edits
      .toSorted((a, b) => b.start - a.start)
      .reduce((text, { end, start, text: added }) => text.slice(0, start) + added + text.slice(end), this.text);
  }

  insert(position: number, text: string): void {
    this.edits.push({ start: position, end: position, text });
  }

  replace(node: ts.Node, text: string): void {
    this.edits.push({ start: node.getStart(), end: node.getEnd(), text });
  }

  /** Removes a statement, and its line if nothing else is on it. */
  removeStatement(statement: ts.Statement): void {
    const end = statement.getEnd();
    const rest = /^[ \t]*(?:\r?\n|$)/.exec(this.text.slice(end));
    const indent = this.indentAt(statement.getStart());
    const startsLine = this.lineStart(statement.getStart()) + indent.length === statement.getStart();
    if (!rest || !startsLine) this.edits.push({ start: statement.getStart(), end, text: '' });
    else this.edits.push({ start: statement.getStart() - indent.length, end: end + rest[0].length, text: '' });
  }

  /** Returns the white space before the text of the line of a position. */
  indentAt(position: number): string {
    return /^[ \t]*/.exec(this.text.slice(this.lineStart(position)))?.[0] ?? '';
  }

  /** Returns the text of one level of indentation. */
  get indentUnit(): string {
    return /^(\t| {2,8})\S/m.exec(this.text)?.[1] ?? '  ';
  }

  /** Returns the place of a node, for a message. */
  place(node: ts.Node): string {
    const { line } = this.ast.getLineAndCharacterOfPosition(node.getStart());
    return `${this.path.slice(1)}:${line + 1}`;
  }

  /** Returns all nodes below a node, itself included, that fulfil a condition. */
  find<Found extends ts.Node>(is: (node: ts.Node) => node is Found, from: ts.Node = this.ast): Found[] {
    const found: Found[] = [];
    const visit = (node: ts.Node): void => {
      if (is(node)) found.push(node);
      this.ts.forEachChild(node, visit);
    };
    visit(from);
    return found;
  }

  private lineStart(position: number): number {
    return this.text.lastIndexOf('\n', position - 1) + 1;
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A table of options in a document. */
export interface OptionTable {
  /** The names in the heading above the table, such as `otlp`. */
  readonly heading: readonly string[];
  readonly rows: readonly OptionRow[];
}

export interface OptionRow {
  /** Empty for a variable that has no option. */
  readonly options: readonly string[];
  readonly variables: readonly string[];
}

/** Reads a document of this repository. */
export function readDocument(path: string): string {
  return readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');
}

/** Reads the tables of a document whose columns are the option, the variable and the default. */
export function readOptionTables(markdown: string): readonly OptionTable[] {
  const tables: { heading: readonly string[]; rows: OptionRow[] }[] = [];
  let heading: readonly string[] = [];
  let isInTable = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('#')) heading = codesIn(line);
    const [, option, variable] = line.split('|').map((cell) => cell.trim());
    if (option === undefined) isInTable = false;
    else if (option === 'Option') {
      isInTable = true;
      tables.push({ heading, rows: [] });
    } else if (isInTable && !option.startsWith('---')) {
      tables.at(-1)!.rows.push({ options: codesIn(option), variables: codesIn(variable ?? '').filter(isVariable) });
    }
  }
  return tables;
}

/** Returns the texts in code marks. */
export function codesIn(markdown: string): readonly string[] {
  return [...markdown.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

function isVariable(code: string): boolean {
  return code.startsWith('OTEL_');
}

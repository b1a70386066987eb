import { readFileSync } from 'node:fs';

export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Reads JSON, with the comments and trailing commas that tsconfig.json may have. Undefined if there is no such file, or no JSON in it. */
export function readJson<T>(file: string): T | undefined {
  const text = readText(file);
  if (text === undefined) return undefined;
  // A text is matched first, because it may contain what looks like a comment.
  const plain = text
    .replaceAll(/("(?:\\.|[^"\\])*")|\/\*[^]*?\*\/|\/\/.*/g, (_, quoted: string | undefined) => quoted ?? '')
    .replaceAll(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_, quoted: string | undefined) => quoted ?? '');
  try {
    return JSON.parse(plain.replace(/^\uFEFF/, '')) as T;
  } catch {
    return undefined;
  }
}

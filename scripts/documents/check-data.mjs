import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { root } from '../support/run.mjs';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Returns the blocks of JSON and YAML that cannot be read, and the npm scripts in shell blocks that do not exist. */
export function dataProblems({ path, blocks }) {
  return blocks.flatMap((block) =>
    problemsIn(block).map((problem) => `${path}:${block.line} ${problem.split('\n', 1)[0]}`),
  );
}

function problemsIn({ language, text }) {
  if (language === 'yaml' || language === 'yml') {
    return parseAllDocuments(text).flatMap(({ errors }) => errors.map(({ message }) => message));
  }
  if (language === 'json') return jsonProblems(text);
  if (language !== 'sh') return [];
  const names = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name);
  return names.filter((name) => !(name in scripts)).map((name) => `runs npm run ${name}, which does not exist`);
}

function jsonProblems(text) {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    return [error.message];
  }
}

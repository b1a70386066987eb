/**
 * Checks the documents: their TypeScript compiles, their other code can be read, and their links lead to something. CONTRIBUTING.md says what
 * a code block may use.
 *
 *   node scripts/check-documents.mjs [documents]
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { dataProblems } from './documents/check-data.mjs';
import { linkProblems } from './documents/check-links.mjs';
import { typeProblems } from './documents/check-types.mjs';
import { codeBlocksIn } from './documents/code-blocks.mjs';
import { root } from './support/run.mjs';

/** The folders whose documents are checked, and those in which every folder may have a README. */
const FOLDERS = ['.', '.github', 'docs'];
const FOLDERS_WITH_READMES = ['bench', 'sample', 'sample/02-shop/observability'];

/** Documents whose code is compiled and run elsewhere: test/unit/docs/testing-guide.spec.ts says where. */
const COMPILED_ELSEWHERE = new Set(['docs/testing.md']);

const given = process.argv.slice(2).map((file) => relative(root, resolve(file)).replaceAll('\\', '/'));
const documents = (given.length > 0 ? given : allDocuments()).map((path) => {
  const text = readFileSync(join(root, path), 'utf8');
  return { path, text, blocks: codeBlocksIn(text) };
});
const problems = [
  ...documents.flatMap((document) => [...linkProblems(document), ...dataProblems(document)]),
  ...typeProblems(documents.filter(({ path }) => !COMPILED_ELSEWHERE.has(path))),
];
for (const problem of problems) console.error(problem);
const count = documents.reduce((sum, { blocks }) => sum + blocks.length, 0);
console.log(`${documents.length} documents, ${count} code blocks, ${problems.length} problems`);
process.exit(problems.length > 0 ? 1 : 0);

function allDocuments() {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => (folder === '.' ? name : `${folder}/${name}`)),
  );
  const readmes = FOLDERS_WITH_READMES.flatMap((folder) => [folder].concat(foldersIn(folder)))
    .map((folder) => `${folder}/README.md`)
    .filter((file) => existsSync(join(root, file)));
  return [...inFolders, ...readmes];
}

function foldersIn(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`);
}

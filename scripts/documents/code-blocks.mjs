/**
 * Returns the code blocks of a document in Markdown: the language, the text, and the line of the document on which the text begins. Blocks
 * within a list are indented, and are returned without the indentation.
 */
export function codeBlocksIn(markdown) {
  const lines = markdown.split('\n');
  const blocks = [];
  for (let index = 0; index < lines.length; index++) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\w*)/.exec(lines[index]);
    if (!fence) continue;
    const [, indentation, marks, language] = fence;
    const end = lines.findIndex((line, at) => at > index && line.trim() === marks);
    const last = end < 0 ? lines.length : end;
    const text = lines
      .slice(index + 1, last)
      .map((line) => line.replace(new RegExp(`^ {0,${indentation.length}}`), ''));
    blocks.push({ language, line: index + 2, text: text.join('\n') });
    index = last;
  }
  return blocks;
}

/** Returns a document whose code blocks are empty lines, so that the numbers of its lines stay. */
export function withoutCodeBlocks(markdown) {
  const lines = markdown.split('\n');
  for (const { line, text } of codeBlocksIn(markdown)) {
    for (let index = line - 2; index <= line - 1 + text.split('\n').length; index++) lines[index] = '';
  }
  return lines.join('\n');
}

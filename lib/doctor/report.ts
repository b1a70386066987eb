import type { Finding, Level } from './finding.js';

const COLORS: Readonly<Record<Level, number>> = { ok: 32, warning: 33, error: 31 };
const LEVEL_WIDTH = 'warning'.length;

/** Writes findings as text: a line for each, and a line for what to do. */
export function reportText(findings: readonly Finding[], hasColors: boolean): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, fix, level, message }) => {
    const label = level.padEnd(LEVEL_WIDTH);
    const mark = hasColors ? `\u001B[${COLORS[level]}m${label}\u001B[39m` : label;
    const line = `${mark}  ${check.padEnd(width)}  ${message}`;
    return fix === undefined ? [line] : [line, `${' '.repeat(LEVEL_WIDTH + width + 4)}→ ${fix}`];
  });
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  return `${lines.join('\n')}\n\n${plural(count('error'), 'error')}, ${plural(count('warning'), 'warning')}\n`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Writes findings for another program. */
export function reportJson(folder: string, findings: readonly Finding[]): string {
  return `${JSON.stringify({ folder, findings }, undefined, 2)}\n`;
}

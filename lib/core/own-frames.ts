import { fileURLToPath, pathToFileURL } from 'node:url';

const FRAME = '    at ';

/** Node's `AsyncLocalStorage`, the OpenTelemetry API and built-in functions: not of interest where the library calls them. */
const CALLED_FOR_US =
  /\((?:node:async_hooks:|node:internal\/async_|<anonymous>\)$)|[\\/]node_modules[\\/]@opentelemetry[\\/]api[\\/]/;

/** How frames of the library begin their location: ESM has URLs where CommonJS has paths. */
const OWN_FOLDERS = foldersOf(locateSelf());

/**
 * Stack frames, one a line, without those of the library: they tell nothing about the application. Lines that are no frames
 * stay.
 */
export function withoutOwnFrames(frames: string): string {
  if (!OWN_FOLDERS.some((folder) => frames.includes(folder))) return frames;
  const kept: string[] = [];
  let isCalledByUs = false;
  // A frame is called by the one below it.
  for (const line of frames.split('\n').toReversed()) {
    isCalledByUs = isOwnFrame(line) || (isCalledByUs && line.startsWith(FRAME) && CALLED_FOR_US.test(line));
    if (!isCalledByUs) kept.push(line);
  }
  return kept.toReversed().join('\n');
}

function isOwnFrame(line: string): boolean {
  if (!line.startsWith(FRAME)) return false;
  return OWN_FOLDERS.some((folder) => {
    const start = line.indexOf(folder);
    return start > 0 && /[ (]/.test(line.charAt(start - 1));
  });
}

/**
 * The folder that holds `dist` or, where source maps are in use, `lib`, as stack traces show it. Undefined where this file
 * has no name of its own: in an application that is bundled into one file, all frames look alike, and none may be removed.
 */
function locateSelf(): string | undefined {
  const { stack } = new Error();
  if (typeof stack !== 'string') return undefined;
  return /^ {4}at locateSelf \((.+[\\/])(?:dist[\\/](?:esm|cjs)|lib)[\\/]core[\\/]own-frames\.[jt]s:\d+:\d+\)$/m.exec(
    stack,
  )?.[1];
}

function foldersOf(root: string | undefined): string[] {
  if (root === undefined) return [];
  const separator = root.at(-1);
  return spellingsOf(root).flatMap((it) => [`${it}dist${separator}`, `${it}lib${separator}`]);
}

function spellingsOf(root: string): string[] {
  try {
    return root.startsWith('file:') ? [root, fileURLToPath(root)] : [root, pathToFileURL(root).href];
  } catch {
    // Such as `webpack-internal:///`.
    return [root];
  }
}

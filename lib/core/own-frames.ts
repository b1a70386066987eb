import { fileURLToPath, pathToFileURL } from 'node:url';

const FRAME = '    at ';

/** Matches frames of Node's `AsyncLocalStorage`, the OpenTelemetry API and built-in functions, which are removed if the library calls them. */
const HELPER_FRAME =
  /\((?:node:async_hooks:|node:internal\/async_|<anonymous>\)$)|[\\/]node_modules[\\/]@opentelemetry[\\/]api[\\/]/;

let ownFolders: readonly string[] | undefined;

/**
 * Removes the frames of the library from stack frames, one per line: they say nothing about the application. Lines that are no frames
 * stay.
 */
export function withoutOwnFrames(frames: string): string {
  ownFolders ??= foldersOf(locateSelf());
  if (!ownFolders.some((folder) => frames.includes(folder))) return frames;
  const kept: string[] = [];
  let isOurs = false;
  // The caller of a frame is the frame below it.
  for (const line of frames.split('\n').toReversed()) {
    isOurs = isFrameIn(ownFolders, line) || (isOurs && line.startsWith(FRAME) && HELPER_FRAME.test(line));
    if (!isOurs) kept.push(line);
  }
  return kept.toReversed().join('\n');
}

function isFrameIn(folders: readonly string[], line: string): boolean {
  if (!line.startsWith(FRAME)) return false;
  return folders.some((folder) => {
    const start = line.indexOf(folder);
    return start > 0 && /[ (]/.test(line.charAt(start - 1));
  });
}

/**
 * Returns the folder that contains `dist` (or `lib`, in the repository), as stack traces show it. Undefined if the code is in a file of
 * another name than in the package: in an application that is bundled into one file, all frames look alike, and none may be removed.
 */
function locateSelf(): string | undefined {
  const { stack } = new Error();
  if (typeof stack !== 'string') return undefined;
  return /^ {4}at locateSelf \((.+[\\/])(?:dist[\\/]nestjs-tracing\.\w+\.c?js|lib[\\/]core[\\/]own-frames\.[jt]s):\d+:\d+\)$/m.exec(
    stack,
  )?.[1];
}

/** Returns the prefixes of the locations of the library's frames: URLs for ESM, and paths for CommonJS. */
function foldersOf(root: string | undefined): string[] {
  if (root === undefined) return [];
  const separator = root.at(-1);
  return pathAndUrlOf(root).flatMap((folder) => [`${folder}dist${separator}`, `${folder}lib${separator}`]);
}

function pathAndUrlOf(root: string): string[] {
  try {
    return root.startsWith('file:') ? [root, fileURLToPath(root)] : [root, pathToFileURL(root).href];
  } catch {
    // A location of another kind, such as `webpack-internal:///`.
    return [root];
  }
}

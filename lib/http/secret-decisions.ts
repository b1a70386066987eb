import { copyText } from '../core/cut-text.js';
import { askPredicate } from '../core/diagnostics.js';
import { mayNameSecret, namesSecretParameter } from '../options/secret-names.js';

type NamePredicate = (name: string) => boolean;

/** Names that are remembered of a predicate; those of an application are few, those of an attacker are not. */
const MAX_NAMES = 1024;
/** Characters of a name that is remembered. */
const MAX_NAME = 64;
/** Names of one URL that are looked into for the first time; beyond these, whatever might be a secret is taken for one. */
const MAX_NEW_NAMES = 128;

const memories = new WeakMap<NamePredicate, Map<string, boolean>>();

/** The predicate for the names of one URL, as they are written there: decisions are remembered from URL to URL. */
export function decisionsForUrl(isSecret: NamePredicate): NamePredicate {
  const decisions = memoryOf(isSecret);
  let newNames = 0;
  return (name) => {
    const known = decisions.get(name);
    if (known !== undefined) return known;
    const isOverLimit = ++newNames > MAX_NEW_NAMES;
    if (isOverLimit && mayNameSecret(name)) return true;
    const decision = decide(isSecret, decoded(name));
    if (!isOverLimit && name.length <= MAX_NAME) remember(decisions, name, decision);
    return decision;
  };
}

function memoryOf(isSecret: NamePredicate): Map<string, boolean> {
  let decisions = memories.get(isSecret);
  if (!decisions) memories.set(isSecret, (decisions = new Map()));
  return decisions;
}

function remember(decisions: Map<string, boolean>, name: string, decision: boolean): void {
  if (decisions.size >= MAX_NAMES) decisions.clear();
  // A name is a view of its URL, which the map must not keep.
  decisions.set(copyText(name), decision);
}

function decide(isSecret: NamePredicate, name: string): boolean {
  return askPredicate('http.redactQuery', () => isSecret(name)) ?? namesSecretParameter(name);
}

/** Of a URL within a URL, names are encoded several times. */
function decoded(name: string): string {
  let text = name.includes('+') ? name.replaceAll('+', ' ') : name;
  for (let depth = 0; depth < 3 && text.includes('%'); depth++) text = decodedOnce(text);
  return text;
}

function decodedOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Of what is malformed, ASCII can still be read.
    return text.replace(/%([2-7][\da-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

import { copyText } from '../core/cut-text.js';
import { evaluatePredicate } from '../core/diagnostics.js';
import { mayNameSecret, namesSecretParameter } from '../options/secret-names.js';

type NamePredicate = (name: string) => boolean;

/** The number of names that are remembered for a predicate. An application has few names; an attacker may send many. */
const MAX_NAMES = 1024;
/** The greatest length of a name that is remembered. */
const MAX_NAME = 64;
/** The number of new names of one URL that are decided exactly. Beyond it, every name that may be secret counts as secret. */
const MAX_NEW_NAMES = 128;

const decisionsByPredicate = new WeakMap<NamePredicate, Map<string, boolean>>();

/** Returns a predicate for the names of one URL, as written there. It remembers decisions from one URL to the next. */
export function decisionsForUrl(isSecret: NamePredicate): NamePredicate {
  const decisions = rememberedDecisions(isSecret);
  let newNames = 0;
  return (name) => {
    const remembered = decisions.get(name);
    if (remembered !== undefined) return remembered;
    const isOverLimit = ++newNames > MAX_NEW_NAMES;
    if (isOverLimit && mayNameSecret(name)) return true;
    const decision = decide(isSecret, decodeName(name));
    if (!isOverLimit && name.length <= MAX_NAME) rememberDecision(decisions, name, decision);
    return decision;
  };
}

function rememberedDecisions(isSecret: NamePredicate): Map<string, boolean> {
  let decisions = decisionsByPredicate.get(isSecret);
  if (!decisions) decisionsByPredicate.set(isSecret, (decisions = new Map()));
  return decisions;
}

function rememberDecision(decisions: Map<string, boolean>, name: string, decision: boolean): void {
  if (decisions.size >= MAX_NAMES) decisions.clear();
  // The name may be a view of the whole URL. A copy does not keep the URL in memory.
  decisions.set(copyText(name), decision);
}

function decide(isSecret: NamePredicate, name: string): boolean {
  return evaluatePredicate('http.redactQuery', () => isSecret(name)) ?? namesSecretParameter(name);
}

/** Decodes a name. In a URL within a URL, names are encoded several times. */
function decodeName(name: string): string {
  let text = name.includes('+') ? name.replaceAll('+', ' ') : name;
  for (let depth = 0; depth < 3 && text.includes('%'); depth++) text = decodeOnce(text);
  return text;
}

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The encoding is malformed. ASCII characters can still be decoded.
    return text.replace(/%([2-7][\da-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

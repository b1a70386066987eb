/** A first check: a name that does not match cannot be the name of a secret. Most names are decided by it. */
const SUSPECT =
  /pass|pw|secret|cred|sig|jwt|saml|hmac|hash|cvv|cvc|otp|key|tok|code|ticket|pin|auth|bearer|assert|sess|sid|nonce|magic|[cx]srf|verif|mnemonic|card|cc.?n|captcha/i;

/** Words that denote a secret at any position of a name: `password2`, `new_password_repeat`, `jwtString`. */
const SECRET_ANYWHERE =
  /^(pwd|secrets?|hmac|cvv|cvc|magic|[cx]srf|captcha|recaptcha|saml.*)$|password|passwd|passphrase|passcode|credential|signature|jwt|apikey|secretkey|accesskey|privatekey|sess(ion)?id|clientsecret/;

/** Words that denote a secret at the end of a name, also as the end of a longer word: `authtoken`, `userpw`. */
const SECRET_AT_END =
  /^(sid|pin|pass|session|bearer|mnemonic)$|(token|sig|auth|authorization|assertion|ticket|nonce|otp|pw|secret|verifier|key|code)$|^[a-z]*(card|atm|sim|user|login|access|debit|device|m|t)pin$|(user|db|root|admin|smtp|mail|my|new|old|proxy)pass$/;

/** Words that end like the name of a secret and are harmless, such as `monkey` and `barcode`. */
const HARMLESS_WORD =
  /^((mon|tur|don|hoc|joc|whis|lac|flun|hic|mic|ho|jo|po|smo|fla|malar|turn|latch|hot|short)key|annonce|betoken|((uni|en|de|trans|geo|bar|op|byte|bit|source|vs|micro|pseudo|time|bin|hard|x|v|q|gray)code))$/;

/** The words before `key` in names of keys that are not secret. */
const HARMLESS_KEYS = new Set(
  `sort group grouping partition range primary foreign candidate composite natural surrogate row column col field index
  cache idempotency idempotent dedup dedupe deduplication routing map dict object lookup search query filter facet
  translation i18n locale message msg item issue project board page tag category feature flag setting config property
  prop attribute attr metadata meta label enum parent child node react hot short shortcut keyboard arrow enter tab music
  piano public pub publishable entity record document doc shard bucket folder file s3 blob color colour legend business
  event metric experiment variant segment template job task queue batch correlation trace distinct unique join merge
  conflict start end next last previous prev evaluated continuation cursor min max from to websocket view report widget
  menu region country language lang currency space`.split(/\s+/),
);

/** The words before `code` in names of codes that are not secret. */
const HARMLESS_CODES = new Set(
  `country postal post zip area region state province county city town district municipality status error err result
  return exit response resp reason http https currency curr language lang locale culture product prod item article sku
  material category cat department dept branch bank swift bic store shop company org organization institution school
  course subject cost airport airline carrier station port flight iata icao iso un hs tariff tax vat gl account acct
  color colour size type unit uom measure bar tracking shipment campaign referral affiliate partner source utm diagnosis
  icd cpt procedure drug action op operation method message msg reject decline dial dialing dialling calling mcc naics
  sic industry occupation job plan price rate fare service batch lot model part vendor supplier char character time
  timezone zone weather stock ticker exchange market asset symbol network warehouse location site geo fips nuts insee
  ean upc isbn asin`.split(/\s+/),
);

/** The words before `tokens` in names of a number of tokens. */
const COUNTED =
  /^(max|min|num|number|total|prompt|completion|input|output|used|cached|remaining|count|n|of|stop|special)$/;

/** The words after `token` in names of a property of the token. */
const HARMLESS_AFTER_TOKEN =
  /^(types?|names?|counts?|limits?|length|size|usage|used|ur[il]|endpoint|expir.*|ttl|lifetime|age|status|version|format|kind|class|address|symbol|standard|network|budget|index|position|supply|price|amount|balance|decimals|rate|provider|issuer|scopes?|required)$/;

/** Words at the end of a name that do not change its meaning: `key_value`, `pin_confirm`. */
const NEUTRAL_TAIL =
  /^(value|val|str|string|raw|plain|clear|hex|b64|base64|base64url|encoded|enc|encrypted|new|old|current|confirm|confirmation|confirmed|repeat|repeated|again|v\d+|prod|production|live|test|dev|staging|sandbox)$/;

/** Ends of names with several words, of which the last word alone would be ambiguous. */
const SECRET_PHRASE = new RegExp(
  `(^| )(${[
    '(api|access|private|secret|signing|encryption|session|auth|shared|master|service|subscription|license|ssh) keys',
    'access key id',
    'sess(ion)? id',
    'session (data|key|hash)',
    '(verification|reset|recovery|security|auth|authorization|access|one time|otp|mfa|backup|scratch) codes',
    'secure ?hash',
    '(card|cc) ?(num|number|no)',
    '(credit|debit) ?card',
    'pass (word|phrase)',
    '(re)?captcha response',
  ].join('|')})$`,
);

/** Parameters of signed URLs of AWS, Google Cloud and CloudFront. None of them helps a reader of a trace. */
const SIGNED_URL = /^(x[-_](amz|goog)[-_]|policy$)/i;

/**
 * True if a query parameter of this name may contain a secret. A suspect name counts as secret unless it is known to be harmless:
 * `key` and `code` are secret, `sort_key` and `country_code` are not.
 */
export function namesSecretParameter(name: string): boolean {
  return SIGNED_URL.test(name) || namesSecret(name);
}

/** False for most names that are not secret, at little cost. The name may be percent-encoded. */
export function mayNameSecret(name: string): boolean {
  return name.includes('%') || SUSPECT.test(name) || SIGNED_URL.test(name);
}

/** True if a header or an option of this name usually contains a secret. */
export function namesSecret(name: string): boolean {
  if (!SUSPECT.test(name)) return false;
  const words = wordsOf(name);
  const plain = words.map(withoutDigits);
  if (plain.some((word) => SECRET_ANYWHERE.test(word)) || hasToken(plain)) return true;
  while (words.length > 1 && NEUTRAL_TAIL.test(words.at(-1) ?? '')) words.pop();
  plain.length = words.length;
  return endsLikeSecret(plain) || SECRET_PHRASE.test(plain.join(' '));
}

/** True if one of the words denotes a token: not in `token_type` and `tokens_used`, but in `token_for_reset`. */
function hasToken(words: readonly string[]): boolean {
  return words.some((word, index) => {
    if (word === 'tokens') return index === words.length - 1 && !COUNTED.test(words[index - 1] ?? '');
    return word === 'token' && !HARMLESS_AFTER_TOKEN.test(words[index + 1] ?? '');
  });
}

function endsLikeSecret(words: readonly string[]): boolean {
  const last = words.at(-1) ?? '';
  const before = words.at(-2) ?? '';
  if (last === 'key') return !HARMLESS_KEYS.has(before);
  if (last === 'code') return !HARMLESS_CODES.has(before);
  if (!SECRET_AT_END.test(last) || HARMLESS_WORD.test(last)) return false;
  // Two words without a separator, such as `sortkey` and `countrycode`.
  if (last.endsWith('key')) return !HARMLESS_KEYS.has(last.slice(0, -'key'.length));
  if (last.endsWith('code')) return !HARMLESS_CODES.has(last.slice(0, -'code'.length));
  return true;
}

/** Splits a name into words: `user[accessToken]` into `user`, `access` and `token`. */
function wordsOf(name: string): string[] {
  return (
    name
      // The end of a name decides, and a long name must not cost much.
      .slice(-256)
      .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
      .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      // An index of a list has no meaning.
      .filter((word) => /[a-z]/.test(word))
  );
}

function withoutDigits(word: string): string {
  return word.replace(/\d+$/, '');
}

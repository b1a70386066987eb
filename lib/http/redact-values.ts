/** The beginning of a value: not inside a word, unless an encoded character precedes it. */
const BEGIN = String.raw`(?:(?<![\w-])|(?<=%[\da-fA-F]{2}))`;

/** Tokens that are recognized by their form: JWT, AWS, GitHub, GitLab, Stripe, OpenAI, Slack, Google, npm, SendGrid. */
const TOKENS = [
  String.raw`eyJ[\w-]{8,}\.[\w.-]*`,
  '(?:AKIA|ASIA)[A-Z0-9]{16}',
  String.raw`(?:gh[opsur]_|github_pat_)\w{16,}`,
  String.raw`glpat-[\w-]{16,}`,
  String.raw`(?:[sr]k_(?:live|test)_|whsec_)\w{8,}`,
  String.raw`sk-[\w-]{20,}`,
  String.raw`xox[a-z]-[\w-]{8,}`,
  String.raw`(?:AIza|ya29\.)[\w-]{16,}`,
  String.raw`npm_\w{30,}`,
  String.raw`SG\.[\w-]{16,}\.[\w-]*`,
];
const TOKEN = new RegExp(`${BEGIN}(?:${TOKENS.join('|')})`, 'g');
/** A quick check without a lookbehind, which is slow at each character. */
const MAYBE_TOKEN =
  /eyJ|A[KS]IA|gh[opsur]_|github_pat_|glpat-|[sr]k_(?:live|test)_|whsec_|sk-|xox[a-z]-|AIza|ya29\.|npm_|SG\./;
/** The length of the shortest token. */
const MIN_TOKEN = 12;

const COLON = '(?::|%(?:25)*3A)';
const SLASH = '(?:/|%(?:25)*2F)';
const AT = '(?:@|%(?:25)*40)';
/** A character of an authority, which ends at a delimiter, encoded or not. */
const AUTHORITY = String.raw`(?:[^/?#&;\s%]|%(?!(?:25)*(?:2F|3F|23|26|3B)))`;
const USERINFO = new RegExp(`(${COLON}${SLASH}{2})${AUTHORITY}*(?=${AT})`, 'gi');
/** An authority whose end was cut off. The `@` that marks credentials may have been in the missing part. */
const CUT_AUTHORITY = new RegExp(`(${COLON}${SLASH}{2})${AUTHORITY}*$`, 'i');

/** The document and the variables of a GraphQL operation in a GET request, which have literals. Both have braces. */
const OPERATION = /((?:^|[?&])(?:query|variables)=)[^&#]*?(?:\{|%7B)[^&#]*/gi;

/** Redacts values that are recognized as secrets, whatever their names are: tokens, GraphQL documents, and the credentials of URLs. */
export function redactValues(text: string, wasCut: boolean): string {
  if (text.length < MIN_TOKEN) return text;
  let redacted = text;
  if (mayHaveOperation(redacted)) redacted = redacted.replace(OPERATION, '$1REDACTED');
  if (MAYBE_TOKEN.test(redacted)) redacted = redacted.replace(TOKEN, 'REDACTED');
  if (mayHaveUserinfo(redacted)) redacted = redacted.replace(USERINFO, '$1REDACTED:REDACTED');
  return wasCut ? redacted.replace(CUT_AUTHORITY, '$1REDACTED') : redacted;
}

function mayHaveOperation(text: string): boolean {
  return text.includes('query=') || text.includes('variables=');
}

function mayHaveUserinfo(text: string): boolean {
  return text.includes('@') || (text.includes('%') && text.includes('40'));
}

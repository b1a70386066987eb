/** A value begins here: not within a word, though behind an encoded character. */
const BEGIN = String.raw`(?:(?<![\w-])|(?<=%[\da-fA-F]{2}))`;

/** Tokens that show by themselves that they are: of JWT, AWS, GitHub, GitLab, Stripe, OpenAI, Slack, Google, npm, SendGrid. */
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
/** Without looking behind, which is slow at each character. */
const MAYBE_TOKEN =
  /eyJ|A[KS]IA|gh[opsur]_|github_pat_|glpat-|[sr]k_(?:live|test)_|whsec_|sk-|xox[a-z]-|AIza|ya29\.|npm_|SG\./;
/** The shortest of them. */
const MIN_TOKEN = 12;

const COLON = '(?::|%(?:25)*3A)';
const SLASH = '(?:/|%(?:25)*2F)';
const AT = '(?:@|%(?:25)*40)';
/** Characters of an authority: up to a delimiter, encoded or not. */
const AUTHORITY = String.raw`(?:[^/?#&;\s%]|%(?!(?:25)*(?:2F|3F|23|26|3B)))`;
const USERINFO = new RegExp(`(${COLON}${SLASH}{2})${AUTHORITY}*(?=${AT})`, 'gi');
/** An authority whose end was cut off, and with it the sign by which credentials are recognized. */
const CUT_AUTHORITY = new RegExp(`(${COLON}${SLASH}{2})${AUTHORITY}*$`, 'i');

/** Replaces what is recognized as a secret by itself, whatever its name: tokens, and the credentials of URLs. */
export function redactValues(text: string, wasCut: boolean): string {
  if (text.length < MIN_TOKEN) return text;
  let shown = text;
  if (MAYBE_TOKEN.test(shown)) shown = shown.replace(TOKEN, 'REDACTED');
  if (mayHaveUserinfo(shown)) shown = shown.replace(USERINFO, '$1REDACTED:REDACTED');
  return wasCut ? shown.replace(CUT_AUTHORITY, '$1REDACTED') : shown;
}

function mayHaveUserinfo(text: string): boolean {
  return text.includes('@') || (text.includes('%') && text.includes('40'));
}

/** Words that make a name a secret's wherever they stand in it: `password2`, `new_password_repeat`, `jwtString`. */
const SECRET_ANYWHERE = /^(password|passwd|pwd|passphrase|passcode|secrets?|credentials?|signature|jwt|apikey)$/;

/** Words that do so at the end of a name only: `access_token` is one, `token_type` is not. */
const SECRET_AT_END = /^(pass|tokens?|sig|auth|authorization|assertion|bearer|session|sid|otp|totp)$/;

/** Words as they are written together, `clientsecret`, `refreshtoken`; no other English word ends so. */
const SECRET_ENDING =
  /(password|passwd|secret|token|apikey|accesskey|secretkey|privatekey|signature|sessionid|sessid|sessionkey)$/;

/** Ends of names of two or more words, of which the last alone would say too little: `key`, `id`, `code`. */
const SECRET_PHRASE = new RegExp(
  `(^| )(${[
    '(api|access|private|secret|signing|encryption|session|auth|shared|master|service|subscription) keys?',
    'access key id',
    'sess(ion)? id',
    'code verifier',
    '(verification|reset|recovery|security|auth|authorization|confirmation|one time|otp|mfa|login|device|backup) code',
    'id token hint',
    'saml response',
  ].join('|')})$`,
);

/** Whether a query parameter, header or option of this name usually carries something that must not be seen. */
export function namesSecret(name: string): boolean {
  const words = wordsOf(name);
  const last = words.at(-1);
  if (last === undefined) return false;
  return (
    words.some((word) => SECRET_ANYWHERE.test(word)) ||
    SECRET_AT_END.test(last) ||
    SECRET_ENDING.test(last) ||
    SECRET_PHRASE.test(words.join(' '))
  );
}

/** `user[accessToken]` is `user access token`; digits at a word's end do not count. */
function wordsOf(name: string): string[] {
  return name
    .slice(0, 256)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/\d+$/, ''))
    .filter((word) => word !== '');
}

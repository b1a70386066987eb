/** The names that Nest's `mixin()` gives to classes: random ones, which differ at each start. The class of `AuthGuard('jwt')` has one. */
const NAME_OF_MIXIN = /^[\da-f]{21}$/;

const DECLARED_NAME = /^class ([\w$]+)/;

/** Returns the name of a class; for a class of Nest's `mixin()`, the name in its source. Empty if it has none. */
export function className(type: { readonly name: string }): string {
  const { name } = type;
  if (!NAME_OF_MIXIN.test(name)) return name;
  const [, declared = ''] = DECLARED_NAME.exec(Function.prototype.toString.call(type)) ?? [];
  return declared;
}

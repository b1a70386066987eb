import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '../../..');

/** An option in the types, which may have further options within it. */
export interface TypedOption {
  /** The path as errors show it, such as `http.client.ignore`. */
  readonly path: string;
  /** The form of the group in which the option stands: its `type`, or its first key in braces. Undefined at the top level. */
  readonly form: string | undefined;
  /** True if the option has options within it. */
  readonly isGroup: boolean;
  readonly comment: string;
  /** The variables in the `@default` tag. */
  readonly variables: readonly string[];
}

/** Reads every option of `TracingOptions` with the compiler, so that no list of them is needed. */
export function readOptionTypes(): readonly TypedOption[] {
  const file = join(root, 'lib/tracing.options.ts');
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config as { compilerOptions: object };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
  const [exported] = checker.getExportsOfModule(module);
  const found: TypedOption[] = [];
  visit(checker.getDeclaredTypeOfSymbol(exported!), '', undefined);
  return found;

  function visit(type: ts.Type, prefix: string, form: string | undefined): void {
    for (const property of type.getProperties()) {
      const valueType = checker.getNonNullableType(checker.getTypeOfSymbol(property));
      // A property of type undefined only excludes an option of another form.
      if (valueType.flags & ts.TypeFlags.Never) continue;
      const path = prefix + property.name;
      const groups = membersOf(valueType).filter(isOptionsType);
      const comment = commentOf(property);
      found.push({ path, form, isGroup: groups.length > 0, comment, variables: variablesIn(defaultOf(property)) });
      // A group within a form belongs to that form.
      for (const group of groups) visit(group, `${path}.`, form ?? formOf(group));
    }
  }

  function formOf(type: ts.Type): string {
    const { type: typeProperty, ...others } = Object.fromEntries(type.getProperties().map((it) => [it.name, it]));
    if (!typeProperty) return `{ ${Object.keys(others)[0]} }`;
    return membersOf(checker.getNonNullableType(checker.getTypeOfSymbol(typeProperty)))
      .map((member) => (member.isStringLiteral() ? member.value : checker.typeToString(member)))
      .join();
  }

  function commentOf(symbol: ts.Symbol): string {
    return ts.displayPartsToString(symbol.getDocumentationComment(checker)) + defaultOf(symbol);
  }

  function defaultOf(symbol: ts.Symbol): string {
    const tag = symbol.getJsDocTags(checker).find(({ name }) => name === 'default');
    return ts.displayPartsToString(tag?.text);
  }
}

function variablesIn(text: string): readonly string[] {
  return [...new Set(text.match(/OTEL_[A-Z_]*[A-Z]/g))];
}

function membersOf(type: ts.Type): readonly ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

/** True for the types of this library whose properties are options. Objects of the SDK and of Nest are values. */
function isOptionsType(type: ts.Type): boolean {
  const [declaration] = type.symbol?.declarations ?? [];
  const isOurs = declaration?.getSourceFile().fileName.includes('/lib/options/');
  return isOurs === true && type.symbol.name.endsWith('Options');
}

import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../support/run.mjs';

/**
 * Reads every option of `TracingOptions` with the compiler, so that no list of them is needed. Each has
 *
 * - `path` as errors show it, such as `http.client.ignore`,
 * - `form`, the form of the group in which it stands: the `type` of the group, or its first key in braces,
 * - `isGroup`: it has options within it,
 * - `type`, `comment` and `default` as its declaration says,
 * - `variables`, those in its `@default` tag,
 * - `isRepeated`: it is declared in a group that is listed before, as an option of one library that replaces the common one.
 *
 * Beside the options, it returns the named types that their declarations use.
 */
export function readOptionTypes() {
  const file = join(root, 'lib/tracing.options.ts');
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file));
  const [exported] = checker.getExportsOfModule(module);
  const found = [];
  const types = new Map();
  const choices = new Map();
  const declared = new Map();
  visit(checker.getDeclaredTypeOfSymbol(exported), '', undefined);
  return { options: found, types: [...types.values()] };

  function visit(type, prefix, form) {
    const nested = [];
    for (const property of type.getProperties()) {
      const valueType = checker.getNonNullableType(checker.getTypeOfSymbol(property));
      // A property of type undefined only excludes an option of another form.
      if (valueType.flags & ts.TypeFlags.Never) continue;
      const path = prefix + property.name;
      const groups = membersOf(valueType).filter(isOptionsType);
      found.push({
        path,
        form,
        isGroup: groups.length > 0,
        isRepeated: isRepeated(property, path),
        ...describe(property),
      });
      // A group within a form belongs to that form.
      for (const group of groups) nested.push(() => visit(group, `${path}.`, form ?? formOf(group)));
    }
    for (const visitGroup of nested) visitGroup();
  }

  /** True if the same declaration is an option of another group already. */
  function isRepeated(property, path) {
    const [declaration] = property.declarations;
    if (!declared.has(declaration)) declared.set(declaration, path);
    return declared.get(declaration) !== path;
  }

  function describe(property) {
    const { type } = property.declarations[0];
    const defaultText = defaultOf(property);
    for (const name of namesIn(type)) rememberType(name);
    return {
      type: withNames(typeText(type)),
      comment: oneLine(ts.displayPartsToString(property.getDocumentationComment(checker))),
      default: oneLine(defaultText),
      isRequired: !(property.flags & ts.SymbolFlags.Optional),
      variables: [...new Set(defaultText.match(/OTEL_[A-Z_]*[A-Z]/g))],
    };
  }

  /** Replaces types that are a choice of texts by the texts. */
  function withNames(text) {
    return text.replaceAll(/\b\w+\b/g, (name) => choices.get(name) ?? name);
  }

  function defaultOf(symbol) {
    const tag = symbol.getJsDocTags(checker).find(({ name }) => name === 'default');
    return ts.displayPartsToString(tag?.text);
  }

  function formOf(type) {
    const { type: typeProperty, ...others } = Object.fromEntries(type.getProperties().map((it) => [it.name, it]));
    if (!typeProperty) return `{ ${Object.keys(others)[0]} }`;
    return membersOf(checker.getNonNullableType(checker.getTypeOfSymbol(typeProperty)))
      .map((member) => (member.isStringLiteral() ? member.value : checker.typeToString(member)))
      .join();
  }

  /** Remembers a type of lib/options that is no group of options: a pattern, a name, what a function gets. */
  function rememberType(reference) {
    let symbol = checker.getSymbolAtLocation(reference);
    if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
    const [declaration] = symbol?.declarations ?? [];
    if (!isOurs(declaration) || types.has(symbol.name) || /Options$|Recording$/.test(symbol.name)) return;
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const definition = ts.isInterfaceDeclaration(declaration)
      ? `{ ${type
          .getProperties()
          .map(({ name }) => name)
          .join(', ')} }`
      : checker.typeToString(type, undefined, ts.TypeFormatFlags.InTypeAlias | ts.TypeFormatFlags.NoTruncation);
    if (definition === symbol.name) return;
    if (/^"[^"]*"( \| "[^"]*")*$/.test(definition)) {
      choices.set(symbol.name, definition.replaceAll('"', "'"));
      return;
    }
    const comment = oneLine(ts.displayPartsToString(symbol.getDocumentationComment(checker)));
    types.set(symbol.name, { name: symbol.name, definition: definition.replaceAll('"', "'"), comment });
  }
}

/** Every option may be undefined, so the table does not say it. */
function typeText(node) {
  if (ts.isParenthesizedTypeNode(node)) return typeText(node.type);
  if (!ts.isUnionTypeNode(node)) return oneLine(node.getText());
  const members = node.types.filter(({ kind }) => kind !== ts.SyntaxKind.UndefinedKeyword);
  return members.length === 1 ? typeText(members[0]) : members.map((each) => oneLine(each.getText())).join(' | ');
}

function namesIn(node) {
  if (ts.isTypeReferenceNode(node)) return [node.typeName, ...(node.typeArguments ?? []).flatMap(namesIn)];
  const names = [];
  ts.forEachChild(node, (child) => void names.push(...namesIn(child)));
  return names;
}

function membersOf(type) {
  return type.isUnion() ? type.types : [type];
}

/** True for the types of this library whose properties are options. Objects of the SDK and of Nest are values. */
function isOptionsType(type) {
  const [declaration] = type.symbol?.declarations ?? [];
  return isOurs(declaration) && /Options$|Recording$/.test(type.symbol.name);
}

function isOurs(declaration) {
  return declaration?.getSourceFile().fileName.includes('/lib/options/') === true;
}

function oneLine(text) {
  return text.trim().replaceAll(/\s+/g, ' ');
}

/** What src/index.ts makes public, as the compiler sees it, and what is wrong with its documentation. Not a test. */

import ts from 'typescript'

const internal = (symbol: ts.Symbol): boolean =>
  !!symbol.declarations?.length &&
  symbol.declarations.every(d => ts.getJSDocTags(d).some(({ tagName }) => tagName.text === 'internal'))

/** Whether the member is one that users write or call: an option, a method. Fields of classes are named after options. */
function isFace(declaration: ts.Declaration): boolean {
  if (ts.isPropertyDeclaration(declaration) || ts.isParameter(declaration)) return false
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
  const name = ts.getNameOfDeclaration(declaration)
  return !(ts.getCombinedModifierFlags(declaration) & hidden) && !(name && ts.isPrivateIdentifier(name))
}

/** Whether a class above declares the member as internal: who overrides it says so again, or it reaches users. */
function isInternalAbove(type: ts.Type, name: string): boolean {
  return (type.getBaseTypes() ?? []).some(base => {
    const above = base.getProperty(name)
    return (above && internal(above)) || isInternalAbove(base, name)
  })
}

/** Public names, as `nn.Linear` and `FitOptions.epochs`, without a line of documentation, and internals that reach users. */
export function faults(program: ts.Program, entry: string, isOurs: (file: string) => boolean): string[] {
  const checker = program.getTypeChecker()
  const [seen, found] = [new Set<ts.Declaration>(), [] as string[]]
  /** Its declaration, the first time that it is met, if it is ours and public. */
  const fresh = (symbol: ts.Symbol): ts.Declaration | undefined => {
    const declaration = symbol.declarations?.find(d => isOurs(d.getSourceFile().fileName))
    if (!declaration || seen.has(declaration) || internal(symbol)) return undefined
    seen.add(declaration)
    return declaration
  }
  const isSaid = (symbol: ts.Symbol) => symbol.getDocumentationComment(checker).length > 0
  const visitMembers = (type: ts.Type, path: string): void => {
    for (const member of type.getProperties()) {
      const declaration = fresh(member)
      if (!declaration || !isFace(declaration)) continue
      if (isInternalAbove(type, member.name)) found.push(`${path}.${member.name} is internal`)
      else if (!isSaid(member)) found.push(`${path}.${member.name}`)
    }
  }
  const visit = (given: ts.Symbol, path: string): void => {
    const symbol = given.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(given) : given
    if (!fresh(symbol)) return
    if (symbol.flags & ts.SymbolFlags.ValueModule) {
      for (const part of checker.getExportsOfModule(symbol)) visit(part, `${path}.${part.name}`)
      return
    }
    if (!isSaid(symbol)) found.push(path)
    if (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias))
      visitMembers(checker.getDeclaredTypeOfSymbol(symbol), path)
  }
  for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)!)!))
    visit(symbol, symbol.name)
  return found
}

/**
 * The ```ts blocks of docstrings, docs and the README as programs: what a block names and does not declare is imported,
 * from the package or from doc_world.ts. Comments that show a value become checks. Not a test.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'

export const root = resolve(import.meta.dirname, '../..')

/** A block of code and where it stands. */
export interface Block {
  readonly file: string
  /** The line of its first line. */
  readonly line: number
  readonly code: string
}

function filesOf(folder: string, ending: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return names.filter(name => name.endsWith(ending)).map(name => join(folder, name))
}

function blocksOf(file: string): Block[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/^( \* ?| *\* ?|)```ts\n([\s\S]*?)^\1```$/gm)].map(({ index, 1: margin, 2: code }) => ({
    file: relative(root, join(root, file)),
    line: text.slice(0, index).split('\n').length + 1,
    code: code
      .split('\n')
      .map(line => (line.startsWith(margin) ? line.slice(margin.length) : line.slice(margin.trimEnd().length)))
      .join('\n'),
  }))
}

/** Every block that a reader may copy. */
export function allBlocks(): Block[] {
  return [...filesOf('src', '.ts'), ...filesOf('docs', '.md'), 'README.md'].flatMap(blocksOf)
}

/** The names that a program declares, and those that it uses as values or types. */
function namesOf(source: ts.SourceFile): { declared: Set<string>; used: Set<string> } {
  const [declared, used] = [new Set<string>(), new Set<string>()]
  const visit = (node: ts.Node, parent: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const named = (parent as { name?: ts.Node }).name === node
      const key = ts.isPropertyAssignment(parent) || ts.isPropertyAccessExpression(parent)
      const declares = named && !key && !ts.isShorthandPropertyAssignment(parent)
      if (declares) declared.add(node.text)
      else if (!(named && key)) used.add(node.text)
    }
    ts.forEachChild(node, child => visit(child, node))
  }
  visit(source, source)
  return { declared, used }
}

/** `expression // [1, 2]` and its kin as `shown(expression, [1, 2])`. */
function withChecks(source: ts.SourceFile): string {
  let code = source.text
  for (const statement of [...source.statements].reverse()) {
    if (!ts.isExpressionStatement(statement)) continue
    const rest = source.text.slice(statement.end).split('\n', 1)[0]
    const value = /^\s*\/\/ (?:\w+ )?(\[.*?\]+)(?:$|[ ,])/.exec(rest)?.[1]
    try {
      if (value) JSON.parse(value)
    } catch {
      continue // a shape with dots in it, as [..., 3]
    }
    const [start, end] = [statement.getStart(source), statement.end]
    if (value) code = `${code.slice(0, start)}shown(${code.slice(start, end)}, ${value})${code.slice(end)}`
  }
  return code
}

/** A block as a module. Its first line is the block's `offset`th. */
export function programOf(
  { code }: Block,
  known: Readonly<Record<string, readonly string[]>>,
): { text: string; offset: number } {
  const source = ts.createSourceFile('block.ts', code, ts.ScriptTarget.ES2022, true)
  const { declared, used } = namesOf(source)
  const free = (names: readonly string[]) => names.filter(name => used.has(name) && !declared.has(name)).join(', ')
  const helpers = JSON.stringify(join(root, 'test/helpers/doc_world.js'))
  const head = [
    `import { ${free(known.anneal)} } from 'anneal'`,
    `import { ${free(['writeFile'])} } from 'node:fs/promises'`,
    `import { pictures, shown, world as surroundings } from ${helpers}`,
    `const { ${free(known.world)} } = surroundings()`,
    free(known.pictures) && `const { ${free(known.pictures)} } = await pictures()`,
    'export {}',
  ]
  return { text: `${head.join('\n')}\n${withChecks(source)}`, offset: head.length }
}

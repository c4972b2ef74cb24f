/** What users read: every public name has a line, and every example compiles and runs. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as anneal from 'anneal'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { allBlocks, programOf, root } from './helpers/doc_examples.js'
import { pictures, world, writeFiles } from './helpers/doc_world.js'
import { faults } from './helpers/public_names.js'

const folder = join(root, 'build/doc_examples')
const entry = join(root, 'src/index.ts')
const known = {
  anneal: [...Object.keys(anneal), 'type Tensor'],
  world: Object.keys(world()),
  pictures: Object.keys(await pictures()),
}
const blocks = allBlocks()
const programs = blocks.map((block, i) => ({ block, path: join(folder, `${i}.ts`), ...programOf(block, known) }))

function compile(): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  Object.assign(options, { noUnusedLocals: false, noImplicitOverride: false, types: ['node'] })
  return ts.createProgram([entry, ...programs.map(({ path }) => path)], options)
}

let program: ts.Program
beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const { path, text } of programs) writeFileSync(path, text)
  program = compile()
}, 600_000)

it('has a line for every public name, option and method, and no internals', () => {
  expect(faults(program, entry, file => file.startsWith(join(root, 'src/')))).toEqual([])
}, 600_000)

it('type-checks every example', () => {
  expect(programs.length).toBeGreaterThan(100)
  const problems = programs.flatMap(({ block, path, offset }) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(path)).map(({ start = 0, messageText }) => {
      const { line } = program.getSourceFile(path)!.getLineAndCharacterOfPosition(start)
      const text = ts.flattenDiagnosticMessageText(messageText, ' ')
      return `${block.file}:${block.line + line - offset}: ${text}`
    }),
  )
  expect(problems).toEqual([])
}, 600_000)

describe('runs every example', () => {
  const before = process.cwd()
  const scratch = mkdtempSync(join(tmpdir(), 'anneal-examples-'))
  beforeAll(async () => {
    process.chdir(scratch) // some write pictures
    await writeFiles()
    vi.spyOn(console, 'log').mockImplementation(() => {})
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  })
  afterAll(() => {
    process.chdir(before)
    rmSync(scratch, { recursive: true, force: true })
    vi.restoreAllMocks()
  })

  it.for(programs)('$block.file:$block.line', async ({ path }, context) => {
    const error = await import(path).then(
      () => null,
      reason => reason,
    )
    // Native TensorFlow is not installed everywhere (npm run setup:tfjs); these examples show how to ask for it.
    const absent = error?.code === 'ERR_MISSING_PACKAGE' && error.message.includes('node-gpu')
    if (absent && !process.env.ANNEAL_REQUIRE_TFJS) return context.skip(error.message)
    if (error) throw error
  })
})

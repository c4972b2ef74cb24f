/**
 * Writes src/native/kernels.gen.ts from the signatures that the compiled binary exports: types that check a call by name,
 * and one adapter per kernel from named arguments to the addon's positional function. So native is built before
 * TypeScript, and native/kernels/kernels.def is all there is to keep. Run by whatever compiles or tests TypeScript.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BuildError, buildNative, root } from './build_native.mjs'

const target = join(root, 'src', 'native', 'kernels.gen.ts')
const types = { float32: 'F32', int32: 'I32', float64: 'F64', uint8: 'U8', float16: 'F16' }
/** Who has no narrow arrays calls no kernel that takes them. */
const parameters = 'F32, I32, F64, U8 = never, F16 = never'

/** What a binary says of itself, asked in a process of its own: a loaded binary cannot be replaced everywhere. */
function exportsOf(binary) {
  const program =
    'const { build, signatures } = require(process.argv[1]); console.log(JSON.stringify({ build, signatures }))'
  const { ANNEAL_MAX_ISA: _, ...env } = process.env
  return JSON.parse(
    execFileSync(process.execPath, ['-e', program, binary], { env, encoding: 'utf8', maxBuffer: 1 << 26 }),
  )
}

const union = names => names.map(name => `'${name}'`).join(' | ') || 'never'

function bufferType({ name, dtype, optional }) {
  return `${name}${optional ? '?' : ''}: ${types[dtype]}${optional ? ' | null' : ''}`
}

function adapter([name, { buffers, dims, scalars }]) {
  const args = [...buffers.map(buffer => buffer.name), ...dims, ...scalars].map(arg => `a.${arg}`)
  return `    ${name}: a => ${name}(${args.join(', ')}),`
}

/** The fields of the buffer `scalars`, which updates have. */
function fieldsOf({ buffers }) {
  return buffers.find(({ name }) => name === 'scalars')?.fields
}

function writer([name, signature]) {
  const lines = fieldsOf(signature).map((field, i) => `    to[at + ${i}] = s.${field}`)
  return `  ${name}(to, at, s) {\n${lines.join('\n')}\n  },`
}

function textOf({ build, signatures }) {
  const kernels = Object.entries(signatures)
  const updates = kernels.filter(([, signature]) => fieldsOf(signature))
  const lines = (entries, value) => entries.map(([name, signature]) => `  ${name}: ${value(signature)}`)
  return [
    '/** Written by scripts/generate_kernels.mjs from the compiled binary; neither edited nor committed. */',
    '',
    '/** The binary that this was written from: version and program format. */',
    `export const build = '${build}'`,
    '',
    `export interface KernelBuffers<${parameters}> {`,
    ...lines(kernels, ({ buffers }) => `{ ${buffers.map(bufferType).join('; ')} }`),
    '}',
    '',
    'export interface KernelDims {',
    ...lines(kernels, ({ dims }) => union(dims)),
    '}',
    '',
    'export interface KernelScalars {',
    ...lines(kernels, ({ scalars }) => union(scalars)),
    '}',
    '',
    '/** The fields of the buffer `scalars` of every kernel that has one, in order. */',
    'export const scalarFields = {',
    ...updates.map(
      ([name, signature]) =>
        `  ${name}: [${fieldsOf(signature)
          .map(field => `'${field}'`)
          .join(', ')}],`,
    ),
    '} as const',
    '',
    'type Positional = { readonly [K in keyof KernelDims]: (...args: unknown[]) => void }',
    `type Named<${parameters}> = {`,
    '  readonly [K in keyof KernelDims]: (',
    '    a: KernelBuffers<F32, I32, F64, U8, F16>[K] & Readonly<Record<KernelDims[K] | KernelScalars[K], number>>,',
    '  ) => void',
    '}',
    '',
    '/** Kernels that take their arguments by name. */',
    `export function byName<${parameters}>({`,
    ...kernels.map(([name]) => `  ${name},`),
    '}: Positional): Named<F32, I32, F64, U8, F16> {',
    '  return {',
    ...kernels.map(adapter),
    '  }',
    '}',
    '',
    '/** Writes the scalars of an update where its kernel reads them: in the order of its fields, from `at`. */',
    'export const writeScalars: {',
    '  readonly [K in keyof typeof scalarFields]: (',
    '    to: Float64Array,',
    '    at: number,',
    '    s: Readonly<Record<(typeof scalarFields)[K][number], number>>,',
    '  ) => void',
    '} = {',
    ...updates.map(writer),
    '}',
    '',
  ].join('\n')
}

/** Builds the binary if need be, and the file unless it says the same already. */
export function generateKernels() {
  const text = textOf(exportsOf(buildNative()))
  if (existsSync(target) && readFileSync(target, 'utf8') === text) return
  const temporary = `${target}.${process.pid}`
  writeFileSync(temporary, text)
  renameSync(temporary, target)
}

/** vitest's global setup. */
export const setup = generateKernels

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    generateKernels()
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

/** Calls of kernels by name, as the compiler checks them from the binary's signatures. Not here: what kernels compute. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { addon } from '../src/native/addon.js'
import { scalarFields, writeScalars } from '../src/native/kernels.gen.js'
import type { UpdateKernel } from '../src/native/types.js'

const root = join(import.meta.dirname, '..')

it('a misspelt kernel, a wrong buffer name and a missing dim are type errors, and nothing else is', () => {
  const file = join(root, 'test/fixtures/kernel_calls.ts')
  const settings = ts.readConfigFile(join(root, 'tsconfig.json'), name => readFileSync(name, 'utf8'))
  const { options } = ts.parseJsonConfigFileContent(settings.config, ts.sys, root)
  const program = ts.createProgram([file], { ...options, types: [] })
  const errors = ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map(({ messageText, start, file }) => {
    const { line } = file!.getLineAndCharacterOfPosition(start!)
    return `${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
  expect(errors).toEqual([
    expect.stringMatching(/^7: Property 'linear_forward' does not exist/),
    expect.stringMatching(/^8: .*'bias' does not exist/s),
    expect.stringMatching(/^9: .*Property 'n' is missing/s),
  ])
})

it('the adapters pass every argument on in its place', () => {
  const a = Float32Array.of(5, 6)
  const y = new Float32Array(2)
  addon.kernels.sub({ n: 2, y, b: Float32Array.of(1, 2), a })
  expect([...y]).toEqual([4, 4])
  addon.kernels.clamp_fwd({ high: 5.5, x: a, low: 5.25, y, n: 2 })
  expect([...y]).toEqual([5.25, 5.5])
  expect(() => addon.kernels.sub({ a, b: a, n: 2 } as never)).toThrow('sub: expected y to be a Float32Array')
})

it('every scalar of an update is written where its kernel reads it', () => {
  for (const [kernel, fields] of Object.entries(scalarFields)) {
    const values = Object.fromEntries(fields.map((field, i) => [field, i + 1]))
    const written = new Float64Array(fields.length + 2)
    writeScalars[kernel as UpdateKernel](written, 1, values as never)
    expect([...written]).toEqual([0, ...fields.map((_, i) => i + 1), 0])
    const { fields: own } = addon.signatures[kernel].buffers.find(({ name }) => name === 'scalars')!
    expect(own).toEqual(fields)
  }
})

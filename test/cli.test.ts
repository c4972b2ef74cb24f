/** The command line of `anneal`, in this process: what it prints, refuses and returns. */

import { Command } from 'commander'
import { afterEach, expect, test, vi } from 'vitest'
import { addBench } from '../src/cli/bench.js'
import { skippedLines } from '../src/cli/options.js'
import { addValidate } from '../src/cli/validate.js'
import { AnnealError, type ErrorCode } from '../src/index.js'

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

/** What `anneal ...args` prints. */
async function anneal(...args: string[]): Promise<string> {
  const printed: string[] = []
  vi.spyOn(console, 'log').mockImplementation(line => void printed.push(String(line)))
  const program = new Command('anneal')
  addValidate(program)
  addBench(program)
  for (const command of [program, ...program.commands])
    command
      .exitOverride()
      .configureOutput({ writeErr: line => void printed.push(line), writeOut: line => void printed.push(line) })
  await program.parseAsync(args, { from: 'user' }).catch(error => printed.push(String(error.code)))
  return printed.join('\n')
}

test('validate prints a table, the seed and the verdict', async () => {
  const printed = await anneal(
    'validate',
    '--backend',
    'native,reference',
    '--kernel',
    'SGD',
    '--kernel',
    'linear_fwd',
    '--cases',
    '4',
  )
  expect(printed).toMatch(/^native: \d/)
  expect(printed).toMatch(/^linear_fwd +native +4 .* ok$/m)
  expect(printed).toMatch(/^SGD +reference +4 .* ok$/m)
  expect(printed).toContain('all within their bounds')
  expect(printed).toMatch(/seed 1, \d/)
  expect(process.exitCode).toBeUndefined()
})

test.each([
  [['validate', '--backend', 'tpu'], 'Expected some of native, reference, node-gpu, node, wasm, cpu.'],
  [['validate', '--kernel', 'conv'], 'Expected some of linear_fwd, '],
  [['validate', '--cases', '1.5'], 'Expected an integer from 1 to '],
  [['bench', '--suite', 'conv'], 'Expected some of '],
  [['validate', '--bakend', 'native'], "unknown option '--bakend'"],
])('%j is refused', async (args, reason) => {
  expect(await anneal(...args)).toContain(reason)
})

test('bench prints a table', async () => {
  const printed = await anneal(...'bench --backends native,cpu --suite update --milliseconds 1'.split(' '))
  expect(printed).toMatch(/^native: .*\ncpu: /)
  expect(printed).toMatch(/^Adam update 128x784( +[\d.]+){3}$/m)
})

test('help says in one line how to have TensorFlow.js', async () => {
  const help = await anneal('validate', '--help')
  expect(help.split('\n').filter(line => line.includes('npm install'))).toHaveLength(1)
})

test('backends that were not asked for and do not load are named with the reason, or in one line', () => {
  const error = (code: ErrorCode, kind: string) => new AnnealError(code, `${kind} is not here`)
  const names = ['node-gpu', 'wasm', 'cpu']
  const missing = new Map(names.map(name => [name, error('ERR_MISSING_PACKAGE', name)]))
  expect(skippedLines(missing)).toEqual([
    expect.stringMatching(/^skipped: node-gpu, wasm, cpu \(TensorFlow.js is not installed: npm install .*\)$/),
  ])
  expect(skippedLines(new Map([...missing].slice(0, 1)))).toEqual(['skipped: node-gpu (node-gpu is not here)'])
  expect(skippedLines(new Map([...missing, ['cpu', error('ERR_BACKEND', 'cpu')]]))).toHaveLength(3)
})

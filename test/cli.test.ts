/** The command line of `anneal`, in this process: what it prints, refuses and returns. */

import { readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { commands } from '../src/cli/commands.js'
import { skippedLines } from '../src/cli/options.js'
import { AnnealError, type ErrorCode } from '../src/index.js'
import { anneal } from './helpers/command.js'

afterEach(() => {
  vi.restoreAllMocks()
  vi.resetModules()
  vi.unstubAllEnvs()
  process.exitCode = undefined
})

test('validate prints a table, the seed and the verdict', async () => {
  const { printed } = await anneal(
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
  [['validate', '--bakend', 'native'], "unknown option '--bakend'\n(Did you mean --backend?)"],
  [['traim'], "unknown command 'traim'"],
  [['docter'], '(Did you mean doctor?)'],
  [['info', 'extra'], 'too many arguments'],
])('%j is refused', async (args, reason) => {
  const { printed, code } = await anneal(...args)
  expect(printed).toContain(reason)
  expect(code).toBe(2)
})

test('bench prints a table', async () => {
  const { printed } = await anneal(...'bench --backends native,cpu --suite update --milliseconds 1'.split(' '))
  expect(printed).toMatch(/^native: .*\ncpu: /)
  expect(printed).toMatch(/^Adam update 128x784( +[\d.]+){3}$/m)
})

test('help says in one line how to have TensorFlow.js', async () => {
  const { printed } = await anneal('validate', '--help')
  expect(printed.split('\n').filter(line => line.includes('npm install'))).toHaveLength(1)
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

test('help names every command, and each has examples or words of its own', async () => {
  const { printed, code } = await anneal('--help')
  expect(code).toBe(0)
  for (const { name, about } of commands) {
    expect(printed).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
    expect(printed.replace(/\s+/g, ' ')).toContain(about)
    expect((await anneal(name, '--help')).printed).toContain(`Usage: anneal ${name}`)
  }
})

test('info says what runs here', async () => {
  const { printed } = await anneal('info')
  expect(printed).toMatch(/^binary +\w+, \d+ thread/m)
  expect(printed).toMatch(/^uplot +1\./m)
  const { stdout } = await anneal('info', '--json')
  const { version, binary, backends, peers } = JSON.parse(stdout)
  const { version: own, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(version).toBe(own)
  expect(binary).toMatchObject({ loads: true, version: own })
  expect(backends).toEqual(expect.arrayContaining(['native', 'reference', 'cpu', 'wasm']))
  expect(peers.map(({ name }: { name: string }) => name)).toEqual(Object.keys(peerDependencies))
  for (const { purpose } of peers) expect(purpose).toMatch(/\w/)
})

test('doctor finds nothing to stop this machine', async () => {
  const { printed, code } = await anneal('doctor')
  expect(printed).toContain('ok    a small net trains')
  expect(printed).not.toContain('STOP')
  expect(code).toBe(0)
})

test('without a binary: info and doctor work, all else is one line that says what to do', async () => {
  vi.stubEnv('ANNEAL_BINARY', '/nowhere/anneal.node')
  vi.resetModules()
  const info = await anneal('info')
  expect(info.code).toBe(0)
  expect(info.printed).toMatch(/^binary +none that loads/m)
  const doctor = await anneal('doctor')
  expect(doctor.code).toBe(1)
  expect(doctor.printed).toContain('STOP  no native binary loads')
  expect(doctor.printed).toContain('/nowhere/anneal.node\n            no such file')
  expect(doctor.printed).toContain('Unset ANNEAL_BINARY')
  expect((await anneal('--help')).code).toBe(0)
  const { printed, code } = await anneal('validate')
  expect(code).toBe(1)
  expect(printed.split('\n')).toEqual([expect.stringMatching(/^anneal: no native binary .* Next: anneal doctor/)])
})

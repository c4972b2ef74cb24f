/** The benches' own machinery: the list of trials, the choice of contenders, rounds, summary, files. Measures nothing. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Contender, contenders, unsuited } from '../bench/contenders.js'
import { allowedCpus, describeMachine, parseCpuList } from '../bench/harness/machine.js'
import { writeResults } from '../bench/harness/output.js'
import { packageRoot } from '../bench/harness/package_root.js'
import { pinned, probeMachine } from '../bench/harness/process.js'
import { type Program, programOf } from '../bench/harness/programs.js'
import { chooseContenders, chooseTrials, readRequest } from '../bench/harness/request.js'
import { runTrial, type TrialResult } from '../bench/harness/rounds.js'
import { median, spread } from '../bench/harness/stats.js'
import { disagreements, summarise } from '../bench/harness/summary.js'
import { bytes, flops, trials } from '../bench/trials.js'

const plan = { threads: 1, cpus: [], rounds: 2, seconds: 0.01 }
const [qwerty] = chooseTrials(['2-8-3'])
const made: string[] = []

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-bench-'))
  made.push(folder)
  return folder
}

afterEach(() => {
  vi.unstubAllEnvs()
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true })
})

describe('trials', () => {
  test('have names of their own', () => {
    expect(new Set(trials.map(({ name }) => name)).size).toBe(trials.length)
  })

  test.each(trials)('$name is done by a contender of ours and by a peer', trial => {
    const doing = contenders.filter(contender => unsuited(contender, trial, flops(trial), 2) === undefined)
    expect(doing.map(({ role }) => role)).toEqual(expect.arrayContaining(['ours', 'peer']))
  })

  test.each(trials.filter(trial => trial.kind === 'step'))('$name has whole batches for its check', trial => {
    expect(trial.rows >= trial.checkSteps * trial.batch || trial.rows === trial.batch).toBe(true)
  })

  test('count arithmetic and traffic as one does by hand', () => {
    const [net] = chooseTrials(['784-128-10'])
    expect(flops(net)).toBe(2 * 128 * (2 * 784 * 128 + 3 * 128 * 10))
    const [product] = chooseTrials(['forward 64x32x64'])
    expect(flops(product)).toBe(2 * 64 * 32 * 64)
    expect(bytes(product)).toBe(4 * (64 * 32 + 32 * 64 + 64 * 64))
    expect(flops(chooseTrials(['lecture'])[0])).toBeUndefined()
  })

  test('Adam moves two more copies of the weights than SGD, momentum one', () => {
    const [sgd, momentum, adam] = chooseTrials(['784-1024-1024-10']).length
      ? ['784-1024-1024-10', '784-1024-1024-10 momentum', '784-1024-1024-10 Adam'].map(
          name => bytes(chooseTrials([name])[0])!,
        )
      : []
    expect(adam - sgd).toBe(2 * (momentum - sgd))
    expect(momentum - sgd).toBe(4 * 2 * (784 * 1024 + 1024 * 1024 + 1024 * 10))
    const [row] = chooseTrials(['384-128-10 x 1'])
    expect([flops(row), bytes(row)]).toEqual([2 * (384 * 128 + 128 * 10), 4 * (384 * 128 + 128 * 10 + 2 * 522)])
  })
})

describe('trials of threads', () => {
  const [trial] = chooseTrials(['threads: 784-128-10'])
  const [fit, alone] = chooseContenders(['native-fit', 'native-fit-alone'])

  test('are of steps that take long, and need threads', () => {
    const names = trials.filter(({ kind }) => kind === 'scaling').map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['threads: 784-128-10', 'threads: 3x256 LayerNorm GELU']))
    expect(names).not.toContain('threads: 64-32-10')
    expect(unsuited(fit, trial, flops(trial), 1)).toBe('needs --threads of at least 2')
    expect(unsuited(fit, trial, flops(trial), 2)).toBeUndefined()
  })

  test('compare with one thread and with what the machine gains, by rounds', () => {
    const probe = (avx2: number) => ({ gflops: { avx2 }, readGBs: 1, axpyGBs: 1 })
    const measured = ({ name, role }: Contender, rounds: number[]) => ({
      name,
      role,
      rounds,
      answers: rounds.map(answerIn),
    })
    const answerIn = (us: number) => ({ version: 'v', unit: 'us' as const, samples: [us], busy: 1, check: 1 })
    const result = {
      trial,
      probes: [probe(190), probe(150)],
      probesAlone: [probe(100), probe(100)],
      measured: [measured(fit, [50, 60]), measured(alone, [90, 96])],
      skipped: [],
    }
    const [line] = summarise(result)
    expect(line.speedUp).toBeCloseTo(1.7, 10)
    expect(line.ofSpeedUp).toBeCloseTo(1, 10)
  })
})

describe('contenders', () => {
  test('have a driver file each', () => {
    for (const { name, program } of contenders) {
      const [[kind, driver]] = Object.entries(program)
      const file = { python: `${driver}.py`, node: `${driver}.ts`, tfjs: 'tfjs.ts', cc: `${driver}.cc` }[kind]
      expect(existsSync(join(packageRoot(), 'bench/drivers', file ?? '')), name).toBe(true)
    }
  })

  test('are left out with a reason', () => {
    const [plain] = chooseContenders(['plain-js'])
    const [adam] = chooseTrials(['784-128-10 Adam'])
    expect(unsuited(plain, adam, flops(adam), 1)).toBe('has no adam')
    expect(unsuited(plain, qwerty, 1e12, 1)).toMatch(/^left out above 1 Gflop/)
    expect(unsuited(plain, chooseTrials(['lecture'])[0], undefined, 1)).toBe('does no lecture trials')
  })

  test('without a Python say which variable names one', () => {
    vi.stubEnv('ANNEAL_PYTHON', '')
    const [jax] = chooseContenders(['jax-scan'])
    expect(programOf(jax)).toEqual({ missing: 'ANNEAL_PYTHON names no Python with jax, optax, numpy' })
    vi.stubEnv('ANNEAL_PYTHON', join(temporary(), 'no-python'))
    expect(programOf(jax)).toEqual({ missing: expect.stringMatching(/^ANNEAL_PYTHON: .*ENOENT/) })
  })

  test('of TensorFlow.js are each of its two ways to train, and say why one does not load', () => {
    const rows = contenders.filter(({ name }) => name.startsWith('tfjs-'))
    for (const kind of ['node-gpu', 'wasm', 'cpu'])
      for (const api of ['minimize', 'layers'])
        expect(rows.map(({ program }) => program)).toContainEqual({ tfjs: { kind, api } })
    const program = { tfjs: { kind: 'no-such', api: 'layers' } } as unknown as Contender['program']
    expect(programOf({ ...rows[0], program })).toEqual({
      missing: expect.stringMatching(/^backends.tfjs: expected kind to be .* but received "no-such"$/),
    })
  })

  test('whose package is missing name it', () => {
    const [ort] = chooseContenders(['onnxruntime'])
    const contender: Contender = { ...ort, program: { node: 'onnxruntime', needs: 'no-such-package' } }
    expect(programOf(contender)).toEqual({ missing: 'needs the package no-such-package' })
    expect(unsuited(ort, qwerty, undefined, 1)).toBe('does no step trials')
  })

  test('whose library is missing name its package', () => {
    const contender: Contender = {
      name: 'x',
      role: 'peer',
      does: ['product'],
      program: { cc: 'onednn', libraries: ['no-such-library'], debian: 'libno-such-library-dev' },
    }
    expect(programOf(contender)).toEqual({ missing: expect.stringMatching(/^needs libno-such-library-dev: ./) })
  })
})

describe('the command line', () => {
  test('chooses by name, start of name and kind', () => {
    expect(chooseTrials(['784-128-10']).map(({ name }) => name)).toEqual(['784-128-10'])
    expect(chooseTrials(['784-256']).map(({ name }) => name)).toEqual(['784-256-128-10'])
    expect(chooseTrials(['product', 'forward'])).toHaveLength(trials.filter(({ kind }) => kind === 'product').length)
    expect(chooseTrials()).toHaveLength(trials.length)
  })

  test('refuses unknown names', () => {
    expect(() => chooseTrials(['3-3'])).toThrow(/expected a trial \(2-8-3, .*\) but received 3-3/)
    expect(() => chooseContenders(undefined, ['torch'])).toThrow(/expected a backend \(native, .*\) but received torch/)
    expect(() => chooseContenders(['numpy'])).toThrow(/expected a driver \(native-fit, .*\) but received numpy/)
  })

  test('chooses the drivers of some backends', () => {
    const names = chooseContenders(undefined, ['native', 'wasm']).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['native-fit', 'tfjs-wasm-minimize', 'tfjs-wasm-layers']))
    expect(names.filter(name => !/^native|^tfjs-wasm/.test(name))).toEqual([])
    expect(readRequest(['--suite', 'matmul,update', '--backends', 'native'])).toMatchObject({
      suites: ['matmul', 'update'],
      backends: ['native'],
    })
  })

  test('pins to as many processors as threads unless told otherwise', () => {
    const flags = ['--trial', '2-8-3', '--drivers', 'plain-js', '--rounds', '3']
    expect(readRequest(flags)).toMatchObject({ rounds: 3, threads: 1, cpus: allowedCpus().slice(-1) })
    expect(readRequest([...flags, '--no-pin'])).toMatchObject({ cpus: [] })
    expect(readRequest([...flags, '--cpus', '0,3'])).toMatchObject({ cpus: [0, 3] })
    expect(parseCpuList('0-2,5')).toEqual([0, 1, 2, 5])
    expect(pinned({ file: 'node', args: ['x'] }, [])).toEqual({ file: 'node', args: ['x'] })
  })
})

test('median and spread', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(spread([1, 2, 3])).toBe(0.5)
  expect(() => median([])).toThrow(RangeError)
})

/** A program that notes its name in a log and answers with these fields. */
function fake(log: string, name: string, answer: object): Program {
  const note = `require('node:fs').appendFileSync(${JSON.stringify(log)}, ${JSON.stringify(name)});`
  const print = `console.log('chatter'); console.log(${JSON.stringify(JSON.stringify(answer))})`
  return { command: () => ({ file: process.execPath, args: ['-e', note + print] }) }
}

const crash: Program = {
  command: () => ({ file: process.execPath, args: ['-e', 'console.error("boom"); process.exit(3)'] }),
}

const answer = (samples: number[], check = 1, busy = 1) => ({ version: 'v', unit: 'us', samples, busy, check })

function run(programs: [string, Program][], tell: (line: string) => void = () => {}): Promise<TrialResult> {
  const roles: Record<string, Contender['role']> = { A: 'ours', B: 'peer', C: 'peer' }
  const entry = ([name, program]: [string, Program]): [Contender, Program] => {
    return [{ name, role: roles[name], does: ['step'], program: { node: name } }, program]
  }
  return runTrial(qwerty, new Map(programs.map(entry)), plan, tell)
}

describe('rounds', () => {
  test('interleave the contenders, each a process, and take medians', async () => {
    const log = join(temporary(), 'log')
    const result = await run([
      ['A', fake(log, 'A', answer([1, 2, 9]))],
      ['B', fake(log, 'B', answer([8]))],
      ['C', fake(log, 'C', answer([20]))],
    ])
    expect(readFileSync(log, 'utf8')).toBe('ABCABC')
    expect(result.measured.map(({ rounds }) => rounds)).toEqual([
      [2, 2],
      [8, 8],
      [20, 20],
    ])
    expect(result.skipped).toEqual([])
    expect(summarise(result).map(({ us, ratio }) => [us, ratio])).toEqual([
      [2, 4],
      [8, 1],
      [20, 0.4],
    ])
    expect(disagreements(result)).toEqual([])
  })

  test('report a contender that crashes or is missing and go on without it', async () => {
    const log = join(temporary(), 'log')
    const lines: string[] = []
    const programs: [string, Program][] = [
      ['A', fake(log, 'A', answer([1]))],
      ['B', crash],
      ['C', { missing: 'no C here' }],
    ]
    const result = await run(programs, line => lines.push(line))
    expect(result.skipped).toEqual([
      { name: 'C', reason: 'no C here' },
      { name: 'B', reason: 'exit 3: boom' },
    ])
    expect(result.measured.map(({ name }) => name)).toEqual(['A'])
    expect(readFileSync(log, 'utf8')).toBe('AA')
    expect(lines.at(-1)).toMatch(/round 2 of 2.*A 1\.000/)
  })

  test('take a round again in which the driver had no core of its own', async () => {
    const log = join(temporary(), 'log')
    await run([['A', fake(log, 'A', answer([1], 1, 0.5))]])
    expect(readFileSync(log, 'utf8')).toBe('AAAA')
  })

  test('notice a contender that did other work', async () => {
    const log = join(temporary(), 'log')
    const result = await run([
      ['A', fake(log, 'A', answer([1], 1.2))],
      ['B', fake(log, 'B', answer([1], 1))],
      ['C', fake(log, 'C', answer([1], 1.001))],
    ])
    expect(disagreements(result)).toEqual(['2-8-3: A did other work: its check is 1.2, the median 1.001'])
  })
})

test('the files: JSON, Markdown with what was skipped, a page, a plot per trial', async () => {
  const folder = temporary()
  const programs: [string, Program][] = [
    ['A', fake(join(folder, 'log'), 'A', answer([1]))],
    ['B', fake(join(folder, 'log'), 'B', answer([8]))],
    ['C', { missing: 'no C here' }],
  ]
  const result = await run(programs)
  const settings = { threads: 1, cpus: [1], rounds: 2, seconds: 0.01, command: 'npm run bench -- --trial 2-8-3' }
  const results = { machine: describeMachine(), settings, lines: summarise(result), warnings: [], trials: [result] }
  await writeResults(results, join(folder, 'sub/r.json'))
  expect(readdirSync(join(folder, 'sub'))).toEqual(['r-2-8-3.svg', 'r.html', 'r.json', 'r.md'])
  expect(JSON.parse(readFileSync(join(folder, 'sub/r.json'), 'utf8')).lines[0]).toMatchObject({
    driver: 'A',
    us: 1,
    ratio: 8,
  })
  const text = readFileSync(join(folder, 'sub/r.md'), 'utf8')
  expect(text).toMatch(/pinned to processor 1, 2 interleaved rounds/)
  expect(text).toMatch(/\| 2-8-3 +\| A +\|/)
  expect(text).toContain('2-8-3: C skipped, no C here')
  const page = readFileSync(join(folder, 'sub/r.html'), 'utf8')
  expect(page.match(/<svg /g)).toHaveLength(1)
  expect(page).toContain('2-8-3: C skipped, no C here')
  expect(page).not.toMatch(/<script|<link|src=|url\(http/)
})

test('the machine probe gives a plausible peak and bandwidth', async () => {
  const lines: string[] = []
  const probe = await probeMachine({ threads: 1, cpus: [] }, 0.02, line => lines.push(line))
  expect(lines).toEqual([])
  for (const peak of Object.values(probe?.gflops ?? {})) expect(peak).toBeGreaterThan(1)
  expect(probe?.readGBs).toBeGreaterThan(0.1)
  expect(probe?.axpyGBs).toBeGreaterThan(0.1)
})

test('suites across backends, by benny in one process: a table and files', () => {
  const out = join(temporary(), 'suite.json')
  const script = join(packageRoot(), 'build/js/bench/run.js')
  const flags = ['--suite', 'update', '--backends', 'native,cpu', '--seconds', '0.01', '--out', out]
  const printed = execFileSync(process.execPath, [script, ...flags], { encoding: 'utf8' })
  expect(printed).toMatch(/^case +native, µs +cpu, µs +cpu \/ native$/m)
  expect(printed).toMatch(/^SGD update 128x784( +[\d.]+){3}$/m)
  const { settings, backends, lines } = JSON.parse(readFileSync(out, 'utf8'))
  expect(settings).toMatchObject({ timer: 'benny', seconds: 0.01 })
  expect(backends.map(({ name }: { name: string }) => name)).toEqual(['native', 'cpu'])
  for (const { timings } of lines)
    for (const name of ['native', 'cpu']) {
      const { min, median, max } = timings[name]
      expect(min).toBeGreaterThan(0)
      expect(median).toBeGreaterThanOrEqual(min)
      expect(max).toBeGreaterThanOrEqual(median)
    }
  expect(readdirSync(join(out, '..'))).toEqual(['suite.html', 'suite.json', 'suite.md'])
})

/** Sweeps over a folder: shards, what is done already, damage, other sweeps, and the table of one machine from all of it. */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type callbacks,
  type History,
  lrScheduler,
  nn,
  optim,
  type SweepOptions,
  type SweepResult,
  sweep,
} from 'anneal'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DataLoader, Subset } from '../src/data/index.js'
import { settingOf } from '../src/train/grid.js'
import { mergeSweep, rangesText } from '../src/train/merge_sweep.js'
import { shardOf } from '../src/train/shard.js'
import { anneal } from './helpers/command.js'
import { sourceOf } from './helpers/program.js'
import { study64 } from './helpers/study.js'
import { blobs, mlp, stateOf } from './helpers/training.js'

const root = mkdtempSync(join(tmpdir(), 'anneal-shards-'))
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(root, 'study-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})
afterAll(() => rmSync(root, { recursive: true }))

interface Grid {
  lr: number
  activation: () => nn.Module
  seed: number
}

const train = new DataLoader(blobs(70, 4, 3), { batchSize: 16, shuffle: true })
const test = new DataLoader(blobs(35, 4, 3, 9), { batchSize: 16 })
const loss = new nn.CrossEntropyLoss()
const tanh = () => new nn.Tanh()
const relu = () => new nn.ReLU()
const watch: callbacks.Callback = { watchOnly: true, onEpoch: () => true }

/** Seven runs, two of which break; `trained` counts those that were really trained. */
function study(change: Partial<SweepOptions<Grid>> = {}) {
  const trained = vi.fn(() => [watch])
  const options: SweepOptions<Grid> = {
    makeModel: ({ activation }) => mlp([4, 8, 3], activation),
    makeOptimizer: (model, { lr }) => new optim.Adam(model.parameters(), { lr }),
    makeScheduler: optimizer => new lrScheduler.ExponentialLR(optimizer, { gamma: 0.99 }),
    makeCallbacks: trained,
    grid: { lr: [0.01, 0.1, 1e30, 1, 0.5, 0.2, 0.3], activation: [tanh], seed: [3] },
    ...{ train, test, loss, epochs: 2, rankBy: 'trainLoss' },
    ...change,
  }
  return { options, trained }
}

const shard = (index: number, count = 3) => ({ dir, shard: { index, count } })

const diverged = ({ history }: { history: History }) => !Number.isFinite(history.trainLoss.at(-1))

/** All that a result shows, with the bits of what was trained. */
function shown<P>(result: SweepResult<P>) {
  const { runs, rankedBy, rows, settings } = result
  return {
    ...{ rankedBy, rows, table: result.table(), settingsTable: result.settingsTable() },
    settings: settings.map(({ params, figures, runs }) => ({ params, figures, runs: runs.map(({ index }) => index) })),
    runs: runs.map(run => {
      const { index, params, history, model } = run
      const { optimizer } = diverged(run) ? { optimizer: new optim.SGD(model.parameters()) } : run
      return { index, params, history, state: stateOf({ model, optimizer } as never) }
    }),
  }
}

describe('shards', () => {
  it('together make the table and the bits of one machine, whatever the dealing; each does its own runs only', async () => {
    const { options } = study()
    const whole = shown(await sweep(options))
    const counts: number[] = []
    for (const index of [1, 0, 2]) {
      const { options, trained } = study(shard(index))
      const result = await sweep(options)
      counts.push(trained.mock.calls.length)
      const mine = [0, 1, 2, 3, 4, 5, 6].filter(run => run % 3 === index)
      if (index !== 2) expect(result.runs.map(run => run.index).sort()).toEqual(mine)
      else expect(shown(result)).toEqual(whole)
      expect(result.missing).toEqual({ 1: [0, 2, 3, 5, 6], 0: [2, 5], 2: [] }[index])
    }
    expect(counts).toEqual([2, 3, 2])
    const { options: again, trained } = study(shard(4, 5))
    expect(shown(await sweep(again))).toEqual(whole)
    expect(trained).not.toHaveBeenCalled()
    const merged = await mergeSweep(dir)
    expect(JSON.stringify(merged.rows)).toBe(JSON.stringify(whole.rows))
    expect(merged.table()).toBe(whole.table)
    expect(merged.settingsTable()).toBe(whole.settingsTable)
    expect((await merged.chart()).svg).toBe((await (await sweep(again)).chart()).svg)
    expect((await mergeSweep(dir, 'testAcc')).rankedBy).toBe('testAcc')
  })

  it('without any, a folder is one shard of one, and onRun is told of a run whose file is there', async () => {
    const told: boolean[] = []
    const onRun: SweepOptions<Grid>['onRun'] = ({ index }) =>
      told.push(existsSync(join(dir, `run-00000${index}.safetensors`)))
    const { options } = study({ dir, onRun })
    expect(shown(await sweep(options))).toEqual(shown(await sweep(study().options)))
    expect(told).toEqual(Array(7).fill(true))
    expect(readdirSync(dir)).toHaveLength(7)
  })

  it('more of them than runs: the idle ones have nothing to show', async () => {
    const { runs, missing, ...result } = await sweep(study(shard(8, 9)).options)
    expect([runs, missing.length, result.rows, result.settings]).toEqual([[], 7, [], []])
    await expect(result.chart()).rejects.toMatchObject({ code: 'ERR_EMPTY' })
  })

  it('of runs with several groups, metrics and numbers that are none', async () => {
    const change: Partial<SweepOptions<Grid>> = {
      makeOptimizer(model, { lr }) {
        const [first, ...rest] = model.parameters()
        return new optim.SGD([{ params: [first], lr: lr / 2 }, { params: rest }], { lr, momentum: 0.9 })
      },
      grid: { lr: [0.1, 1e38], activation: [relu], seed: [0, 1] },
      metrics: ['f1'],
      rankBy: 'test.f1',
    }
    const whole = shown(await sweep(study(change).options))
    expect(whole.runs[0].history.lr[0]).toHaveLength(2)
    const stored = await sweep(study({ ...change, dir }).options)
    expect(shown(stored)).toEqual(whole)
    expect((await mergeSweep(dir)).table()).toBe(whole.table)
    expect(stored.runs.map(diverged)).toEqual([false, false, true, true])
    expect(() => stored.runs[2].optimizer).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
  })

  it('keep apart settings that look alike, in the folder too', async () => {
    const activation = [() => new nn.Tanh(), () => new nn.ReLU()] // both without a name
    const grid = { lr: [0.1], activation, seed: [0, 1] }
    const { options } = study({ grid, dir })
    const { settings, ...result } = await sweep(options)
    expect(settings).toHaveLength(2)
    const merged = await mergeSweep(dir)
    expect(merged.settingsTable()).toBe(result.settingsTable())
  })
})

it('the setting of a run is its place without the seed, wherever the seed stands', () => {
  const indices = (lists: Record<string, number[]>) => {
    const count = Object.values(lists).reduce((product, { length }) => product * length, 1)
    return Array.from({ length: count }, (_, index) => settingOf(lists, index))
  }
  expect(indices({ seed: [0, 1], a: [1, 2, 3] })).toEqual([0, 1, 2, 0, 1, 2])
  expect(indices({ a: [1, 2, 3], seed: [0, 1] })).toEqual([0, 0, 1, 1, 2, 2])
  expect(indices({ a: [1, 2], seed: [0, 1], b: [1, 2] })).toEqual([0, 1, 0, 1, 2, 3, 2, 3])
})

describe('a folder', () => {
  const file = (index: number) => join(dir, `run-00000${index}.safetensors`)

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut off', bytes => bytes.subarray(0, bytes.length - 1)],
    [
      'with a bit of a weight flipped',
      bytes => Buffer.from(bytes).fill(bytes.at(-9)! ^ 1, bytes.length - 9, bytes.length - 8),
    ],
    ['empty', () => Buffer.of()],
    ['of another run', () => readFileSync(file(1))],
  ])('with a file %s: that run is done again, which is said; merging names it', async (_, damage) => {
    const whole = shown(await sweep(study({ dir }).options))
    writeFileSync(file(4), damage(readFileSync(file(4))))
    await expect(mergeSweep(dir)).rejects.toMatchObject({
      code: 'ERR_STATE',
      message: expect.stringMatching(/expected all 7 runs but received 6; missing: 4\n.*run-000004/),
    })
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { options, trained } = study({ dir })
    expect(shown(await sweep(options))).toEqual(whole)
    expect(trained).toHaveBeenCalledTimes(1)
    expect(warn.mock.calls).toEqual([[expect.stringContaining('run 4 counts as not done: ')]])
  })

  it('with a damaged file of another shard is not whole', async () => {
    for (const index of [0, 1]) await sweep(study(shard(index)).options)
    writeFileSync(file(4), 'damaged')
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { missing, runs } = await sweep(study(shard(2)).options)
    expect([missing, runs.map(({ index }) => index).sort()]).toEqual([[4], [2, 5]])
    expect(warn).toHaveBeenCalledTimes(1)
  })

  it('keeps what others are writing, and no temporaries of runs that are done here', async () => {
    const dead = 2 ** 30 // beyond the largest pid of Linux
    for (const index of [0, 1]) writeFileSync(`${file(index)}.tmp-${dead}`, 'half')
    await sweep(study(shard(0)).options)
    expect(readdirSync(dir).filter(name => name.includes('tmp'))).toEqual([`run-000001.safetensors.tmp-${dead}`])
  })

  it('keeps the runs that had ended when the sweep was aborted or failed', async () => {
    const controller = new AbortController()
    const { options } = study({ dir, epochs: 300, signal: controller.signal, onRun: () => controller.abort() })
    await expect(sweep(options)).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    const there = readdirSync(dir).length
    expect(there).toBeGreaterThan(0)
    const { options: again, trained } = study({ dir, epochs: 300 })
    await sweep(again)
    expect(trained).toHaveBeenCalledTimes(7 - there)
  })

  const other = study().options
  it.each<[string, Partial<SweepOptions<Grid>>]>([
    ['grid.lr', { grid: { ...other.grid, lr: [0.01, 0.1, 1e30, 1, 0.5, 0.2] } }],
    ['grid', { grid: { seed: [3], lr: other.grid.lr, activation: other.grid.activation } }],
    ['epochs', { epochs: 3 }],
    ['loss', { loss: new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }) }],
    ['train.batchSize', { train: train.withBatchSize(8) }],
    ['test', { test: undefined }],
    ['train.values', { train: new DataLoader(blobs(70, 4, 3, 8), { batchSize: 16, shuffle: true }) }],
    [
      'test.values',
      { test: new DataLoader(new Subset(test.dataset, [...Array(35).keys()].reverse()), { batchSize: 16 }) },
    ],
    ['makeScheduler', { makeScheduler: undefined }],
    ['metrics', { metrics: ['f1'] }],
    ['monitor', { monitor: 'trainLoss' }],
    ['0.weight', { makeModel: ({ activation }) => mlp([4, 9, 3], activation) }],
    ['optimizer', { makeOptimizer: (model, { lr }) => new optim.SGD(model.parameters(), { lr }) }],
    ['optimizer options', { makeOptimizer: (model, { lr }) => new optim.Adam(model.parameters(), { lr: lr / 2 }) }],
    ['scheduler options', { makeScheduler: made => new lrScheduler.ExponentialLR(made, { gamma: 0.98 }) }],
  ])('of a sweep with another %s is refused by name, before anything is trained', async (name, change) => {
    await sweep(study(shard(0)).options)
    const files = readdirSync(dir)
    const { options, trained } = study({ ...change, dir })
    await expect(sweep(options)).rejects.toMatchObject({
      code: 'ERR_STATE',
      message: expect.stringContaining(`sweep: expected ${name} to be`),
    })
    expect(trained).not.toHaveBeenCalled()
    expect(readdirSync(dir)).toEqual(files)
  })

  it('of another sweep is refused to a shard that has nothing in it yet, and when two are mixed', async () => {
    await sweep(study(shard(0)).options)
    await expect(sweep(study({ ...shard(1), epochs: 1 }).options)).rejects.toMatchObject({ code: 'ERR_STATE' })
    const elsewhere = mkdtempSync(join(root, 'other-'))
    await sweep(study({ ...shard(1), dir: elsewhere, epochs: 1 }).options)
    for (const name of readdirSync(elsewhere)) copyFileSync(join(elsewhere, name), join(dir, name))
    await expect(sweep(study(shard(2)).options)).rejects.toMatchObject({ code: 'ERR_STATE' })
    await expect(mergeSweep(dir)).rejects.toMatchObject({ code: 'ERR_STATE', message: /epochs to be 2/ })
  })

  it('without runs cannot be merged', async () => {
    await expect(mergeSweep(dir)).rejects.toMatchObject({ code: 'ERR_EMPTY' })
    await expect(mergeSweep(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(rangesText([0, 1, 2, 5, 7, 8])).toBe('0-2, 5, 7-8')
  })
})

describe('the shard of a process', () => {
  const slurm = (id: number, min: number, max: number, step: number, count: number) => ({
    SLURM_ARRAY_TASK_ID: String(id),
    SLURM_ARRAY_TASK_MIN: String(min),
    SLURM_ARRAY_TASK_MAX: String(max),
    SLURM_ARRAY_TASK_STEP: String(step),
    SLURM_ARRAY_TASK_COUNT: String(count),
  })
  const kubernetes = { JOB_COMPLETION_INDEX: '2' }

  it.each<[string, object | undefined, NodeJS.ProcessEnv, [number, number]]>([
    ['nothing said', undefined, {}, [0, 1]],
    ['given', { index: 1, count: 4 }, slurm(3, 0, 7, 1, 8), [1, 4]],
    ['--array=0-7', undefined, slurm(3, 0, 7, 1, 8), [3, 8]],
    ['--array=1-8', undefined, slurm(1, 1, 8, 1, 8), [0, 8]],
    ['--array=1-31:2', undefined, slurm(31, 1, 31, 2, 16), [15, 16]],
    ['--array=0-15:4, whose largest ID is 12', undefined, slurm(12, 0, 12, 4, 4), [3, 4]],
    ['--array=5', undefined, slurm(5, 5, 5, 1, 1), [0, 1]],
    ['a task of 0-7 submitted again as --array=5', { count: 8 }, slurm(5, 5, 5, 1, 1), [5, 8]],
    ['an Indexed Job', { count: 4 }, kubernetes, [2, 4]],
    ['an empty variable', undefined, { SLURM_ARRAY_TASK_ID: '' }, [0, 1]],
  ])('%s', (_, given, environment, [index, count]) => {
    expect(shardOf('sweep', given, environment)).toEqual({ index, count })
  })

  it.each<[string, object | undefined, NodeJS.ProcessEnv, string]>([
    ['--array=1,2,9', undefined, slurm(2, 1, 9, 1, 3), 'task 2 of 3, from 1 to 9 by 1'],
    ['--array=0,2,3,6 by a step of 2', undefined, slurm(3, 0, 6, 2, 4), 'shard to be given'],
    ['an old Slurm', undefined, { SLURM_ARRAY_TASK_ID: '3' }, 'shard to be given'],
    ['no number', undefined, { SLURM_ARRAY_TASK_ID: 'a' }, 'SLURM_ARRAY_TASK_ID to be a whole number but received "a"'],
    ['an Indexed Job', undefined, kubernetes, 'shard.count to be given, as JOB_COMPLETION_INDEX'],
    [
      'an index beyond',
      { count: 2 },
      kubernetes,
      'shard.index to be an integer at least 0 and at most 1 but received 2',
    ],
  ])('%s is refused', (_, given, environment, message) => {
    expect(() => shardOf('sweep', given, environment)).toThrow(message)
    expect(() => shardOf('sweep', given, environment)).toThrow(expect.objectContaining({ code: 'ERR_ARG_VALUE' }))
  })

  it.each<[object, unknown]>([
    [{ dir: '' }, TypeError],
    [{ dir: 5 }, TypeError],
    [{ shard: { index: 0, count: 2 } }, RangeError],
    [{ dir: 'x', shard: 3 }, TypeError],
    [{ dir: 'x', shard: { index: 2, count: 2 } }, RangeError],
    [{ dir: 'x', shard: { index: -1, count: 2 } }, RangeError],
    [{ dir: 'x', shard: { index: 0 } }, TypeError],
    [{ dir: 'x', shard: { count: 2 } }, TypeError],
    [{ dir: 'x', shard: { index: 0, of: 2 } }, TypeError],
    [{ dir: 'x', epochs: -1 }, RangeError],
    [{ dir: 'x', train: [] }, TypeError],
  ])('options %o are refused, and no folder is made', async (change, kind) => {
    await expect(sweep(study(change).options)).rejects.toThrow(kind as never)
    expect(existsSync('x')).toBe(false)
  })
})

describe('64 runs', () => {
  /** What it says; killed as soon as so many runs have ended. */
  function outcome(options: string, killAfter = Infinity, env: NodeJS.ProcessEnv = {}) {
    const args = ['--input-type=module', '-e', sourceOf(study64(options))]
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env } })
    let [said, errors] = ['', '']
    child.stderr.on('data', text => {
      errors += text
    })
    child.stdout.on('data', text => {
      said += text
      if (said.split('ended').length > killAfter) child.kill('SIGKILL')
    })
    return new Promise<{ signal: string | null; ended: number; result: string[] }>((resolve, reject) =>
      child.once('close', (code, signal) => {
        if (code !== 0 && signal !== 'SIGKILL') return reject(new Error(errors))
        const result = /^result (.*)$/m.exec(said)?.[1].split(' ') ?? []
        resolve({ signal, ended: said.split('ended').length - 1, result })
      }),
    )
  }

  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

  it('over four shards, of which one is killed and run again: table, JSON and weights of one machine', async () => {
    const shards = (index: number, killAfter?: number) => {
      const [name, given] = index % 2 ? ['JOB_COMPLETION_INDEX', 'shard: { count: 4 }'] : ['SLURM_ARRAY_TASK_ID', '']
      const array = { SLURM_ARRAY_TASK_MIN: '0', SLURM_ARRAY_TASK_MAX: '3', SLURM_ARRAY_TASK_STEP: '1' }
      const env = { [name]: String(index), ...(index % 2 ? {} : { ...array, SLURM_ARRAY_TASK_COUNT: '4' }) }
      return outcome(`dir: ${JSON.stringify(dir)}, ${given}`, killAfter, env)
    }
    const [whole, ...parts] = await Promise.all([outcome(''), shards(0), shards(1, 5), shards(2), shards(3)])
    const [, count, rows] = whole.result
    expect([whole.ended, count]).toEqual([64, '64'])
    expect(parts.map(({ signal }) => signal)).toEqual([null, 'SIGKILL', null, null])
    expect(parts.map(({ ended }) => ended)).toEqual([16, expect.any(Number), 16, 16])
    const left = 64 - readdirSync(dir).filter(name => name.endsWith('.safetensors')).length
    expect(left).toBeGreaterThan(0)
    await expect(mergeSweep(dir)).rejects.toThrow(`expected all 64 runs but received ${64 - left}`)
    const again = await shards(1)
    expect(again).toEqual({ signal: null, ended: left, result: whole.result })
    expect(readdirSync(dir)).toHaveLength(64)
    const { stdout, code } = await anneal('sweep-merge', dir, '--json')
    expect([code, sha256(stdout)]).toEqual([0, rows])
  })
})

describe('the command line', () => {
  const iris = ['sweep', 'examples/data/iris.csv', '--target', 'species', '--epochs', '3', '--lr', '0.001,0.01']
  const study = (...more: string[]) => anneal(...iris, '--hidden', '4/8', ...more)

  it('shards print what they have and what is missing; the merge prints what one machine prints', async () => {
    const file = (name: string) => join(root, name)
    const whole = [await study('--json'), await study('--plot', file('whole.svg'))].map(({ stdout }) => stdout)
    const first = await study('--dir', dir, '--shard', '0/2', '--json')
    expect(first.code).toBe(0)
    expect(JSON.parse(first.stdout)).toHaveLength(2)
    expect(first.printed).toMatch(/^1 done: run [02] of 4\n2 done: run [02] of 4$/m)
    expect(first.printed).toMatch(
      /^2 runs of other shards are not done yet; once they are: .*anneal sweep-merge \S+study/m,
    )
    const early = await anneal('sweep-merge', dir)
    expect(early).toMatchObject({
      code: 1,
      stdout: '',
      printed: expect.stringMatching(/all 4 runs but received 2; missing: 1, 3$/),
    })
    vi.stubEnv('SLURM_ARRAY_TASK_ID', '1')
    for (const [name, value] of Object.entries({ MIN: 0, MAX: 1, STEP: 1, COUNT: 2 }))
      vi.stubEnv(`SLURM_ARRAY_TASK_${name}`, String(value))
    const second = await study('--dir', dir, '--quiet')
    expect(second.printed).toBe(whole[1])
    const merged = [
      await anneal('sweep-merge', dir, '--json'),
      await anneal('sweep-merge', dir, '--plot', file('merged.svg')),
    ]
    expect(merged.map(({ stdout }) => stdout)).toEqual(whole)
    expect(readFileSync(file('merged.svg'))).toEqual(readFileSync(file('whole.svg')))
    expect((await anneal('sweep-merge', dir, '--rank-by', 'best')).code).toBe(2)
    expect((await study('--dir', dir, '--shard', '2/2')).printed).toContain('Expected I/N with I from 0 to N - 1')
  })

  it('interrupted exits with 130, keeps what had ended and says how to go on', async () => {
    const args = ['--seeds', '40', '--quiet', '--dir', dir]
    const running = study(...args)
    await vi.waitFor(() => expect(readdirSync(dir).length).toBeGreaterThan(0), { interval: 5, timeout: 10_000 })
    process.emit('SIGINT')
    const { code, printed } = await running
    expect([code, printed]).toEqual([
      130,
      expect.stringMatching(/aborted after \d+ of 160 runs\ngo on with: .*--dir \S+$/),
    ])
    const there = readdirSync(dir).length
    expect(there).toBeLessThan(160)
    expect((await anneal('sweep-merge', dir)).printed).toContain(`received ${there}; missing: `)
  })

  it('over seeds shows means, also when merged', async () => {
    const args = [...iris, '--seeds', '2', '--quiet']
    const { stdout } = await anneal(...args, '--dir', dir)
    expect(stdout).toMatch(/ ± /)
    expect((await anneal('sweep-merge', dir)).stdout).toBe(stdout)
  })
})

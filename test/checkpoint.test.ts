/** Checkpoints: a run that goes on from any of them ends with the bits of one that was never interrupted. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callbacks, data, evaluate, fit, io, lrScheduler, nn, optim, random, tensor } from 'anneal'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { chunkSettings } from '../src/engine/chunks.js'
import { promisingDisk } from '../src/io/disk.js'
import { checkpointDisk } from '../src/train/checkpoints.js'
import type { FitOptions } from '../src/train/fit_options.js'
import { cases } from './helpers/campaign.js'
import { faulty } from './helpers/faulty_disk.js'

const root = mkdtempSync(join(tmpdir(), 'anneal-checkpoint-'))
let folders = 0
const newFolder = () => join(root, String(folders++))

afterAll(() => rmSync(root, { recursive: true }))
afterEach(() => {
  chunkSettings.steps = null
  checkpointDisk.disk = promisingDisk
})

const ROWS = 50

function toySet(seed: number, rows = ROWS) {
  const draw = new random.Generator().manualSeed(seed)
  const X = tensor(draw.uniform_(new Float32Array(rows * 4), -1, 1), { shape: [rows, 4] })
  const y = tensor(draw.randint(0, 3, rows))
  return new data.TensorDataset(X, y)
}

type Job = Omit<FitOptions, 'epochs' | 'resume'> & { model: nn.Sequential; epochs: number }

/** A job and everything it is made of, new each time. */
interface Recipe {
  readonly epochs?: number
  readonly dropout?: boolean
  readonly norm?: boolean
  /** A matrix that decides whether the model can be a plan. */
  readonly eager?: boolean
  readonly test?: boolean
  readonly own?: boolean
  readonly accumulate?: number
  readonly threads?: number
  readonly optimizer?: (parameters: Iterable<nn.Parameter>) => optim.Optimizer
  readonly scheduler?: (optimizer: optim.Optimizer) => lrScheduler.LRScheduler
  readonly more?: () => Partial<FitOptions>
}

class Peeking extends nn.Identity {
  override forward(x: Parameters<nn.Identity['forward']>[0]) {
    x.data.at(0)
    return x
  }
}

function make(recipe: Recipe): Job {
  random.manualSeed(11)
  const hidden = [
    ...(recipe.norm ? [new nn.BatchNorm1d(16)] : []),
    new nn.ReLU(),
    ...(recipe.dropout ? [new nn.Dropout({ p: 0.3 })] : []),
    ...(recipe.eager ? [new Peeking()] : []),
  ]
  const model = new nn.Sequential(new nn.Linear(4, 16), ...hidden, new nn.Linear(16, 3))
  const generator = recipe.own ? new random.Generator().manualSeed(5) : undefined
  const optimizer = (recipe.optimizer ?? (p => new optim.SGD(p, { lr: 0.1, momentum: 0.9 })))(
    model.parameters() as nn.Parameter[],
  )
  const scheduler = recipe.scheduler?.(optimizer)
  return {
    model,
    train: new data.DataLoader(toySet(1), { batchSize: 8, shuffle: true, generator }),
    ...(recipe.test !== false && { test: new data.DataLoader(toySet(2, 20), { batchSize: 8 }) }),
    loss: new nn.CrossEntropyLoss(),
    optimizer,
    ...(scheduler && { scheduler }),
    epochs: recipe.epochs ?? 4,
    ...(recipe.accumulate && { accumulate: recipe.accumulate }),
    threads: recipe.threads ?? 1,
    ...recipe.more?.(),
  }
}

/** What a run leaves: its curves, its weights and state, the next numbers of the global generator. */
async function outcomeOf({ model, ...options }: Job & { resume?: string }) {
  const { engineReason, ...history } = await fit(model, options)
  const weights = Object.values(model.stateDict()).map(t => t.toArray())
  const state = JSON.stringify(options.optimizer.stateDict())
  return { history, weights, state, next: random.defaultGenerator.random64() }
}

/** Trains with a checkpoint every few updates, all of them kept; then goes on from each. */
async function resumedEverywhere(recipe: Recipe, everySteps: number) {
  const whole = await outcomeOf(make(recipe))
  const dir = newFolder()
  const keep = () => callbacks.checkpoint({ dir, everySteps, keep: 1000 })
  const withKeeping = (): Job => {
    const job = make(recipe)
    return { ...job, callbacks: [...(job.callbacks ?? []), keep()] }
  }
  expect(await outcomeOf(withKeeping())).toEqual(whole)
  const files = readdirSync(dir)
  for (const file of files) {
    const only = newFolder()
    mkdirSync(only)
    copyFileSync(join(dir, file), join(only, file))
    const job = make(recipe)
    random.manualSeed(999) // of which nothing may be left
    const kept = callbacks.checkpoint({ dir: only, everySteps })
    const got = await outcomeOf({ ...job, callbacks: [...(job.callbacks ?? []), kept], resume: only })
    expect(got, file).toEqual(whole)
    expect(readdirSync(only).length).toBeLessThanOrEqual(2)
  }
  return files.length
}

const recipes: Record<string, Recipe> = {
  'SGD, StepLR, dropout': {
    dropout: true,
    scheduler: o => new lrScheduler.StepLR(o, { stepSize: 9, gamma: 0.5 }),
  },
  'AdamW, OneCycle, a generator of its own': {
    own: true,
    optimizer: p => new optim.AdamW(p, { lr: 0.01 }),
    scheduler: o => new lrScheduler.OneCycleLR(o, { maxLr: 0.02, totalSteps: 28 }),
  },
  'RMSprop, plateau, early stopping with the best weights': {
    epochs: 6,
    optimizer: p => new optim.RMSprop(p, { lr: 0.01 }),
    scheduler: o => new lrScheduler.ReduceLROnPlateau(o, { patience: 0 }),
    more: () => ({ callbacks: [callbacks.earlyStopping({ patience: 2, restoreBest: true })] }),
  },
  'schedule-free AdamW': { optimizer: p => new optim.AdamWScheduleFree(p, { lr: 0.01, warmupSteps: 5 }) },
  'a warm-up, then cosine': {
    scheduler: o =>
      new lrScheduler.SequentialLR(o, {
        schedulers: [
          new lrScheduler.LinearLR(o, { startFactor: 0.1, totalIters: 6 }),
          new lrScheduler.CosineAnnealingLR(o, { tMax: 22 }),
        ],
        milestones: [6],
      }),
  },
  'batch norm, two batches to an update, no test': { norm: true, accumulate: 2, test: false },
  'two threads': { threads: 2, dropout: true },
  'the eager engine, dropout': { eager: true, dropout: true },
  'the eager engine, a generator of its own, accumulate': { eager: true, own: true, accumulate: 2 },
}

describe('a run that goes on from any of its checkpoints', () => {
  it.each(Object.entries(recipes))('%s', async (_, recipe) => {
    expect(await resumedEverywhere(recipe, 3)).toBeGreaterThan(5)
  })

  it('with chunks of two steps', async () => {
    chunkSettings.steps = 2
    await resumedEverywhere({ dropout: true }, 5)
  })
})

describe('a run that is aborted', () => {
  /** A signal that is aborted from the n-th time on that it is looked at, which is a few times per chunk. */
  function abortedAt(n: number): AbortSignal {
    let looks = 0
    return Object.defineProperty(new AbortController().signal, 'aborted', { get: () => ++looks >= n })
  }

  it.each(Object.entries(recipes))('is saved where it stands, and goes on from there: %s', async (_, recipe) => {
    const whole = await outcomeOf(make(recipe))
    chunkSettings.steps = 2
    const steps = new Set<number>()
    for (let at = 2; at < 40; at += 5) {
      const dir = newFolder()
      const keep = () => callbacks.checkpoint({ dir, everyEpochs: 1000, onAbort: true })
      const job = make(recipe)
      const asked = { ...job, callbacks: [...(job.callbacks ?? []), keep()] }
      const { code, history } = await outcomeOf({ ...asked, signal: abortedAt(at) }).catch(error => error)
      const updates = history.lr.length
      if (updates === whole.history.lr.length) break // all was done before it was looked at so often
      const name = `checkpoint-${String(updates).padStart(10, '0')}.safetensors`
      expect([code, readdirSync(dir)]).toEqual(['ERR_ABORTED', updates > 0 ? [name] : []])
      steps.add(updates)
      const again = make(recipe)
      const got = await outcomeOf({ ...again, callbacks: [...(again.callbacks ?? []), keep()], resume: dir })
      expect(got, `aborted at ${at}`).toEqual(whole)
    }
    expect(steps.size).toBeGreaterThan(2)
  })

  it('tells the speed of its own updates when it goes on', async () => {
    const dir = newFolder()
    const keep = callbacks.checkpoint({ dir })
    await outcomeOf({ ...make({}), callbacks: [keep] })
    const speeds: number[] = []
    const onProgress = ({ stepsPerSecond }: { stepsPerSecond: number }) => void speeds.push(stepsPerSecond)
    await outcomeOf({ ...make({}), callbacks: [keep], resume: dir, onProgress })
    expect(speeds).toEqual([0])
  })

  it('goes on with other callbacks behind those that keep state', async () => {
    const whole = await outcomeOf(make({}))
    const dir = newFolder()
    const keep = callbacks.checkpoint({ dir, everyEpochs: 1000, onAbort: true })
    const watching = { watchOnly: true, onEpoch: () => true }
    chunkSettings.steps = 2
    const aborted = { ...make({}), callbacks: [keep, watching], signal: abortedAt(8) }
    await expect(outcomeOf(aborted)).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(readdirSync(dir)).toHaveLength(1)
    expect(await outcomeOf({ ...make({}), callbacks: [keep], resume: dir })).toEqual(whole)
  })
})

describe('a disk that fails', { timeout: 120_000 }, () => {
  it('at any operation: the fit rejects with its error or ends well, and goes on from the checkpoint before', async () => {
    const whole = await outcomeOf(make({}))
    const job = (dir: string) => ({
      ...make({}),
      callbacks: [callbacks.checkpoint({ dir, everySteps: 9 })],
      resume: dir,
    })
    const undisturbed = faulty(promisingDisk, Infinity, 'EIO')
    checkpointDisk.disk = undisturbed.disk
    expect(await outcomeOf(job(newFolder()))).toEqual(whole)
    const operations = undisturbed.calls.length
    const each = Math.ceil(operations / cases(15, operations))
    for (let at = 0; at < operations; at += each) {
      for (const fault of ['ENOSPC', 'EIO', 'short'] as const) {
        const dir = newFolder()
        checkpointDisk.disk = faulty(promisingDisk, at, fault).disk
        const got = await outcomeOf(job(dir)).catch((error: NodeJS.ErrnoException) => error.code)
        if (typeof got === 'string') expect(got).toBe(fault === 'short' ? 'EIO' : fault)
        else expect(got).toEqual(whole)
        checkpointDisk.disk = promisingDisk
        expect(await outcomeOf(job(dir)), `${fault} at ${undisturbed.calls[at]}, operation ${at}`).toEqual(whole)
        expect(readdirSync(dir).filter(name => name.includes('tmp'))).toEqual([])
      }
    }
  })
})

describe('a folder', () => {
  const job = (dir: string, more: Partial<Job> = {}) => ({
    ...make({}),
    callbacks: [callbacks.checkpoint({ dir, everySteps: 4, best: { monitor: 'testLoss' } })],
    ...more,
  })

  it('holds the newest two and the best, which io.load reads', async () => {
    const dir = newFolder()
    const { history } = await outcomeOf(job(dir))
    const names = readdirSync(dir).sort()
    expect(names).toEqual([
      'best.safetensors',
      'checkpoint-0000000024.safetensors',
      'checkpoint-0000000028.safetensors',
    ])
    const { model, notes } = await io.load<nn.Sequential>(join(dir, 'best.safetensors'))
    const { test, loss } = make({})
    const best = Math.min(...history.testLoss!)
    expect((await evaluate(model, test!, loss)).loss).toBe(best)
    expect(notes).toContain(String(best))
  })

  it('that is empty or not there starts from the beginning', async () => {
    const whole = await outcomeOf(make({}))
    expect(await outcomeOf({ ...make({}), resume: newFolder() })).toEqual(whole)
    expect(await outcomeOf({ ...make({}), resume: mkdtempSync(join(root, 'empty-')) })).toEqual(whole)
  })

  it('of a finished run gives its history and weights, and more epochs where more are asked for', async () => {
    const dir = newFolder()
    const whole = await outcomeOf(job(dir))
    const again = await outcomeOf({ ...job(dir), resume: dir })
    expect(again.history).toEqual(whole.history)
    expect(again.weights).toEqual(whole.weights)
    const longer = await outcomeOf(make({ epochs: 6 }))
    expect(await outcomeOf({ ...job(dir, { epochs: 6 }), resume: dir })).toEqual(longer)
  })

  it('whose newest checkpoint is damaged goes on from the one before', async () => {
    const dir = newFolder()
    const whole = await outcomeOf(job(dir))
    const newest = join(dir, 'checkpoint-0000000028.safetensors')
    const bytes = readFileSync(newest)
    for (const damaged of [
      bytes.subarray(0, bytes.length - 1),
      Buffer.from(bytes).fill(1, bytes.length - 4),
      Buffer.of(),
    ]) {
      writeFileSync(newest, damaged)
      expect(await outcomeOf({ ...job(dir), resume: dir })).toEqual(whole)
    }
  })

  it('keeps no temporaries of dead processes', async () => {
    const dir = newFolder()
    await outcomeOf(job(dir))
    writeFileSync(join(dir, 'checkpoint-0000000004.safetensors.tmp-999999'), 'half')
    await outcomeOf({ ...job(dir), resume: dir })
    expect(readdirSync(dir).filter(name => name.includes('tmp'))).toEqual([])
  })

  it.each([
    ['train.batchSize', () => ({ train: new data.DataLoader(toySet(1), { batchSize: 16, shuffle: true }) })],
    ['train', () => ({ train: new data.DataLoader(toySet(1, 40), { batchSize: 8, shuffle: true }) })],
    ['loss', () => ({ loss: new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }) })],
    ['accumulate', () => ({ accumulate: 2 })],
    ['onEpochEnd', () => ({ onEpochEnd: () => {} })],
  ])('of a run with another %s is refused by name, and nothing changes', async (name, change) => {
    const dir = newFolder()
    await outcomeOf(job(dir))
    const other = { ...job(dir, change()), resume: dir }
    const before = Object.values(other.model.stateDict()).map(t => t.toArray())
    await expect(outcomeOf(other)).rejects.toMatchObject({
      code: 'ERR_STATE',
      message: expect.stringContaining(`fit: expected ${name} to be`),
    })
    expect(Object.values(other.model.stateDict()).map(t => t.toArray())).toEqual(before)
  })
})

describe('options', () => {
  it.each([
    {},
    { dir: '' },
    { dir: 5 },
    { dir: 'x', every: 5 },
    { dir: 'x', everySteps: 0 },
    { dir: 'x', everyEpochs: 1.5 },
    { dir: 'x', everySeconds: 0 },
    { dir: 'x', keep: 0 },
    { dir: 'x', onAbort: 1 },
    { dir: 'x', best: { monitor: 'loss' } },
    { dir: 'x', best: 'testLoss' },
  ])('%o are refused', options => {
    expect(() => callbacks.checkpoint(options as never)).toThrow(
      expect.objectContaining({ code: expect.stringContaining('ERR_ARG') }),
    )
  })

  it('resume must be a folder', async () => {
    await expect(outcomeOf({ ...make({}), resume: 5 as never })).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
  })
})

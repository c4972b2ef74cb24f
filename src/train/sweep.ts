/** Many fits over a grid of settings, on all cores: `sweep`. Not here: one fit (fit.ts), ranking and picture (ranking.ts). */

import { checkFunction, checkInt, checkOptions } from '../base/check.js'
import type { Steps } from '../base/drive.js'
import { rangeError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import { chooseEngine } from '../engine/choose.js'
import type { Dispatch } from '../engine/chunks.js'
import type { Model } from '../engine/options.js'
import type { LRScheduler } from '../lr_scheduler/index.js'
import type { Optimizer } from '../optim/index.js'
import type { Callback } from './callbacks.js'
import { fitSteps } from './fit.js'
import type { FitOptions } from './fit_options.js'
import { checkFigure, type Figure, type History } from './history.js'
import { type Job, runAll } from './parallel_runs.js'
import { rank, type SweepResult } from './ranking.js'

/** The values of a run: one of each list of the grid, and its seed. */
export type RunParams<P> = { readonly [K in keyof P]: P[K] } & {
  /** What the default generator of the run is seeded with. */
  readonly seed: number
}

type Shared = Omit<FitOptions, 'optimizer' | 'scheduler' | 'callbacks' | 'onEpochEnd' | 'onProgress' | 'backend'>

/** Options of `sweep`: how a run is made, the grid, and the options of `fit` that all runs share. */
export interface SweepOptions<P extends object> extends Shared {
  /** A run's model; called after its generator was seeded. */
  makeModel: (params: RunParams<P>) => Model
  /** A run's optimizer. */
  makeOptimizer: (model: Model, params: RunParams<P>) => Optimizer
  /** A run's schedule. */
  makeScheduler?: (optimizer: Optimizer, params: RunParams<P>) => LRScheduler
  /** Callbacks of a run: each serves one run only. */
  makeCallbacks?: (params: RunParams<P>) => readonly Callback[]
  /**
   * Lists of values by name; every combination is a run. `seed` is 0 unless listed; `batchSize`, if listed, is that of the
   * training loader.
   */
  grid: { readonly [K in keyof P]: readonly P[K][] }
  /** What the runs are ranked by, at their last epoch, such as `test.f1`. Default testLoss, without a test loader trainLoss. */
  rankBy?: Figure
  /** Called as each run ends; a promise is awaited. */
  onRun?: (run: SweepRun<P>) => void
}

/** One run of a sweep. */
export interface SweepRun<P> {
  /** The run's values from the grid. */
  readonly params: RunParams<P>
  /** What `fit` gives. */
  readonly history: History
  /** The trained model, and what trained it. */
  readonly model: Model
  /** Its state is that after the last update. */
  readonly optimizer: Optimizer
}

const own = ['makeModel', 'makeOptimizer', 'makeScheduler', 'makeCallbacks', 'grid', 'rankBy', 'onRun'] as const
const shared = [
  'train',
  'test',
  'loss',
  'stepSchedulerEvery',
  'epochs',
  'clipGradNorm',
  'accumulate',
  'metrics',
  'monitor',
] as const
const known = [...own, ...shared, 'signal', 'threads']

function checkGrid(grid: unknown): void {
  if (typeof grid !== 'object' || grid === null) throw typeError('sweep', 'grid to be an object of arrays', grid)
  for (const [name, values] of Object.entries(grid)) {
    if (!Array.isArray(values)) throw typeError('sweep', `grid.${name} to be an array`, values)
    if (values.length === 0) throw rangeError('sweep', `grid.${name} to have at least one value`, values)
    if (name === 'seed') for (const seed of values) checkInt('sweep', 'seed', seed)
    if (name === 'batchSize') for (const size of values) checkInt('sweep', 'batchSize', size, { min: 1 })
  }
}

function check<P extends object>(options: SweepOptions<P>): void {
  checkOptions('sweep', options, known)
  for (const name of ['makeModel', 'makeOptimizer'] as const) checkFunction('sweep', name, options[name])
  for (const name of ['makeScheduler', 'makeCallbacks', 'onRun'] as const) {
    if (options[name] !== undefined) checkFunction('sweep', name, options[name])
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw typeError('sweep', 'signal to be an AbortSignal', options.signal)
  checkGrid(options.grid)
  checkRankBy(options)
  for (const loader of [options.train, options.test]) {
    if (loader instanceof DataLoader && (loader.generator || loader.sampler?.generator))
      throw rangeError('sweep', 'loaders without a generator, so that each run draws from its own', 'one with')
  }
}

function checkRankBy({ rankBy, test, loss }: Pick<SweepOptions<object>, 'rankBy' | 'test' | 'loss'>): void {
  if (rankBy === undefined) return
  checkFigure('sweep', 'rankBy', rankBy)
  if (rankBy.startsWith('test') && !test) throw rangeError('sweep', 'rankBy to be measured: a test loader', rankBy)
  if (rankBy.endsWith('Acc') && !loss?.classifies)
    throw rangeError('sweep', 'rankBy to be measured: a classifier', rankBy)
}

/** Every combination, the last name changing fastest. */
function combinations<P extends object>(grid: SweepOptions<P>['grid']): RunParams<P>[] {
  const lists = Object.entries<readonly unknown[]>(Object.hasOwn(grid, 'seed') ? grid : { ...grid, seed: [0] })
  return lists.reduce<object[]>(
    (runs, [name, values]) => runs.flatMap(run => values.map(value => ({ ...run, [name]: value }))),
    [{}],
  ) as RunParams<P>[]
}

/** Builds and trains one run. */
function jobOf<P extends object>(options: SweepOptions<P>, params: RunParams<P>): Job<SweepRun<P>> {
  function* steps(signal: AbortSignal, dispatch: Dispatch): Steps<SweepRun<P>> {
    const model = options.makeModel(params)
    const optimizer = options.makeOptimizer(model, params)
    const scheduler = options.makeScheduler?.(optimizer, params)
    const callbacks = options.makeCallbacks?.(params)
    const given = {
      ...pickShared(options),
      train: loaderOf(options.train, params as { batchSize?: unknown }),
      optimizer,
      scheduler,
      callbacks,
      signal,
    }
    const history = yield* fitSteps(model, given, () => chooseEngine(model, given, dispatch))
    return { params, history, model, optimizer }
  }
  return { seed: params.seed, steps }
}

function pickShared<P extends object>(options: SweepOptions<P>): Pick<Shared, (typeof shared)[number] | 'threads'> {
  const names = [...shared, 'threads'] as const
  return Object.fromEntries(names.map(name => [name, options[name]])) as never
}

/** The training loader, with the batch size of the grid if that lists one. */
function loaderOf(train: DataLoader, { batchSize }: { batchSize?: unknown }): DataLoader {
  return batchSize === undefined ? train : train.withBatchSize(batchSize as number)
}

/**
 * Trains every combination of `grid`, on all cores, and ranks the runs. Each is built and trained on a random stream of
 * its own, seeded by its `seed`: it has the bits that it would have alone after `random.manualSeed(seed)`, and the
 * default stream is left untouched.
 *
 * ```ts
 * const result = await sweep({
 *   makeModel: () => new Net(),
 *   makeOptimizer: (model, { lr }) => new optim.SGD(model.parameters(), { lr }),
 *   makeScheduler: optimizer => new lrScheduler.StepLR(optimizer, { stepSize: 115, gamma: 0.5 }),
 *   grid: { lr: [0.001, 0.01, 0.1, 1], seed: [0, 1, 2] },
 *   train, test, loss: new nn.CrossEntropyLoss(), epochs: 20,
 * })
 * console.log(result.table())
 * console.log(result.settingsTable()) // mean ± deviation over the seeds
 * const { model, params } = result.runs[0]
 * await writeFile('sweep.svg', (await result.chart()).svg)
 * ```
 * Rejects with TypeError or RangeError for options, with the error of the first run that fails, and with ERR_ABORTED
 * (its `runs` are those that had ended) when `signal` aborts.
 */
export async function sweep<P extends object>(options: SweepOptions<P>): Promise<SweepResult<P>> {
  check(options)
  const jobs = combinations(options.grid).map(params => jobOf(options, params))
  const runs = await runAll('sweep', jobs, options.signal, options.onRun)
  return rank(runs, options.rankBy ?? (options.test ? 'testLoss' : 'trainLoss'))
}

/** The options of `sweep`, checked. */

import { checkFunction, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import { World } from '../distributed/world.js'
import type { Model } from '../engine/options.js'
import type { LRScheduler } from '../lr_scheduler/index.js'
import type { Optimizer } from '../optim/index.js'
import type { Callback } from './callbacks.js'
import type { FitOptions } from './fit_options.js'
import { checkGrid } from './grid.js'
import { checkFigure, type Figure, type History } from './history.js'
import type { Shard } from './shard.js'

/** The values of a run: one of each list of the grid, and its seed. */
export type RunParams<P> = { readonly [K in keyof P]: P[K] } & {
  /** What the default generator of the run is seeded with. */
  readonly seed: number
}

/** The options of `fit` that all runs share. */
export type SharedOptions = Omit<
  FitOptions,
  'optimizer' | 'scheduler' | 'callbacks' | 'onEpochEnd' | 'onProgress' | 'backend' | 'resume'
>

/** Options of `sweep`: how a run is made, the grid, and the options of `fit` that all runs share. */
export interface SweepOptions<P extends object> extends SharedOptions {
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
  /**
   * A folder for a file of each run, whole or not there, made where it is not there: a sweep that is run again skips the
   * runs that have one, and shards on several machines meet in it.
   */
  dir?: string
  /**
   * Which part of the runs is done here, the rest being done elsewhere into the same `dir`. Default: the place of a Slurm task
   * in its array, else all. With `count` alone, `index` is SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX (Kubernetes).
   */
  shard?: Partial<Shard>
  /**
   * The ranks that share the runs, each of which gets the next one when it is free: all call `sweep` alike, and all have the
   * whole result. With a `dir`, which all of them must see, runs that are done there are not done again.
   */
  world?: World
}

/** How a run ended. */
export interface RunOutcome<P> {
  /** Its place among the combinations of the grid, the last name changing fastest. */
  readonly index: number
  /** The run's values from the grid. */
  readonly params: RunParams<P>
  /** What `fit` gives. */
  readonly history: History
}

/**
 * One run of a sweep. Of a sweep with a `dir`, model and optimizer are made anew and read from there when they are asked for;
 * the state of an optimizer that is not finite is then ERR_STATE.
 */
export interface SweepRun<P> extends RunOutcome<P> {
  /** The trained model, and what trained it. */
  readonly model: Model
  /** Its state is that after the last update. */
  readonly optimizer: Optimizer
}

const own = [
  'makeModel',
  'makeOptimizer',
  'makeScheduler',
  'makeCallbacks',
  'grid',
  'rankBy',
  'onRun',
  'dir',
  'shard',
  'world',
]
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
  'threads',
] as const satisfies (keyof SharedOptions)[]

/** Throws TypeError or RangeError for what is wrong whatever the runs are. */
export function checkSweep<P extends object>(options: SweepOptions<P>): void {
  checkOptions('sweep', options, [...own, ...shared, 'signal'])
  for (const name of ['makeModel', 'makeOptimizer'] as const) checkFunction('sweep', name, options[name])
  for (const name of ['makeScheduler', 'makeCallbacks', 'onRun'] as const) {
    if (options[name] !== undefined) checkFunction('sweep', name, options[name])
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw typeError('sweep', 'signal to be an AbortSignal', options.signal)
  checkGrid('sweep', options.grid)
  checkRankBy(options)
  checkSharing(options)
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

function checkSharing({ dir, shard, world }: Pick<SweepOptions<object>, 'dir' | 'shard' | 'world'>): void {
  if (dir !== undefined && (typeof dir !== 'string' || dir === '')) throw typeError('sweep', 'dir to be a folder', dir)
  if (world !== undefined && !(world instanceof World))
    throw typeError('sweep', 'world to be what distributed.init gives', world)
  if (shard !== undefined && world !== undefined) throw rangeError('sweep', 'a world or a shard but not both', shard)
  if (shard !== undefined && dir === undefined)
    throw rangeError('sweep', 'dir to be given with shard, as the folder where all shards meet,', dir)
}

/** What the runs are ranked by. */
export function rankedBy({ rankBy, test }: Pick<SweepOptions<object>, 'rankBy' | 'test'>): Figure {
  return rankBy ?? (test ? 'testLoss' : 'trainLoss')
}

/** The options that all runs share; `batchSize`, if the grid lists it, is that of the training loader. */
export function sharedOptions<P extends object>(options: SweepOptions<P>, params: RunParams<P>): SharedOptions {
  const given = Object.fromEntries(shared.map(name => [name, options[name]])) as unknown as SharedOptions
  const { batchSize } = params as { batchSize?: number }
  return batchSize === undefined ? given : { ...given, train: given.train.withBatchSize(batchSize) }
}

/** Many fits over a grid of settings, on all cores: `sweep`. Not here: one fit (fit.ts), ranking and picture (ranking.ts). */

import { checkFunction, checkInt, checkOneOf, checkOptions } from '../base/check.js'
import { driveAsync, type Steps } from '../base/drive.js'
import { AnnealError, rangeError, typeError } from '../base/errors.js'
import { DataLoader } from '../data/index.js'
import { chooseEngine } from '../engine/choose.js'
import { type Dispatch, MAX_RUNNING } from '../engine/chunks.js'
import { onStream } from '../engine/exclusive.js'
import type { Model } from '../engine/options.js'
import type { LRScheduler } from '../lr_scheduler/index.js'
import type { Optimizer } from '../optim/index.js'
import { Generator } from '../streams/index.js'
import type { Callback } from './callbacks.js'
import { fitSteps } from './fit.js'
import type { FitOptions } from './fit_options.js'
import { type History, type Metric, metrics } from './history.js'
import { rank, type SweepResult } from './ranking.js'

/** The values of a run: one of each list of the grid, and its seed. */
export type RunParams<P> = { readonly [K in keyof P]: P[K] } & { readonly seed: number }

type Shared = Omit<FitOptions, 'optimizer' | 'scheduler' | 'callbacks' | 'onEpochEnd' | 'onProgress' | 'backend'>

/** Options of `sweep`: how a run is made, the grid, and the options of `fit` that all runs share. */
export interface SweepOptions<P extends object> extends Shared {
  makeModel: (params: RunParams<P>) => Model
  makeOptimizer: (model: Model, params: RunParams<P>) => Optimizer
  makeScheduler?: (optimizer: Optimizer, params: RunParams<P>) => LRScheduler
  /** Callbacks of a run: each serves one run only. */
  makeCallbacks?: (params: RunParams<P>) => readonly Callback[]
  /** Lists of values by name; every combination is a run. `seed` is 0 unless listed. */
  grid: { readonly [K in keyof P]: readonly P[K][] }
  /** What the runs are ranked by, at their last epoch. Default testLoss, without a test loader trainLoss. */
  rankBy?: Metric
  /** Called as each run ends. */
  onRun?: (run: SweepRun<P>) => void
}

/** One run of a sweep. */
export interface SweepRun<P> {
  readonly params: RunParams<P>
  readonly history: History
  /** The trained model, and what trained it. */
  readonly model: Model
  readonly optimizer: Optimizer
}

/** A sweep that was aborted: `runs` holds those that had ended, in no order. */
export class SweepAbortedError extends AnnealError {
  constructor(
    reason: unknown,
    readonly runs: readonly SweepRun<object>[],
    of: number,
  ) {
    super('ERR_ABORTED', `sweep: aborted after ${runs.length} of ${of} runs`, { cause: reason })
  }
}

const own = ['makeModel', 'makeOptimizer', 'makeScheduler', 'makeCallbacks', 'grid', 'rankBy', 'onRun'] as const
const shared = ['train', 'test', 'loss', 'stepSchedulerEvery', 'epochs', 'clipGradNorm', 'accumulate'] as const
const known = [...own, ...shared, 'signal', 'threads']

function checkGrid(grid: unknown): void {
  if (typeof grid !== 'object' || grid === null) throw typeError('sweep', 'grid to be an object of arrays', grid)
  for (const [name, values] of Object.entries(grid)) {
    if (!Array.isArray(values)) throw typeError('sweep', `grid.${name} to be an array`, values)
    if (values.length === 0) throw rangeError('sweep', `grid.${name} to have at least one value`, values)
    if (name === 'seed') for (const seed of values) checkInt('sweep', 'seed', seed)
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
  checkOneOf('sweep', 'rankBy', rankBy, metrics)
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

/** Builds and trains one run; all that draws from the default generator draws from the run's own. */
function runSteps<P extends object>(
  options: SweepOptions<P>,
  params: RunParams<P>,
  signal: AbortSignal,
  dispatch: Dispatch,
): Steps<SweepRun<P>> {
  const { train, test, loss, epochs, stepSchedulerEvery, clipGradNorm, accumulate, threads } = options
  function* steps(): Steps<SweepRun<P>> {
    const model = options.makeModel(params)
    const optimizer = options.makeOptimizer(model, params)
    const scheduler = options.makeScheduler?.(optimizer, params)
    const callbacks = options.makeCallbacks?.(params)
    const shared = { train, test, loss, epochs, stepSchedulerEvery, clipGradNorm, accumulate, threads }
    const given = { ...shared, optimizer, scheduler, callbacks, signal }
    const history = yield* fitSteps(model, given, () => chooseEngine(model, given, dispatch))
    return { params, history, model, optimizer }
  }
  return onStream(new Generator(params.seed), steps())
}

/** A sweep that is under way. */
interface Sweep<P extends object> {
  readonly options: SweepOptions<P>
  /** Runs that have not begun. */
  readonly queue: RunParams<P>[]
  readonly done: SweepRun<P>[]
  /** Aborts where the user's signal does, or where a run has failed. */
  readonly signal: AbortSignal
}

/** One run after the other from `queue`, until it is empty or the sweep is over. */
async function work<P extends object>({ options, queue, done, signal }: Sweep<P>): Promise<void> {
  for (let params = queue.shift(); params && !signal.aborted; params = queue.shift()) {
    const dispatch = queue.length + done.length > 0 ? 'away' : 'auto'
    const run = await driveAsync(runSteps(options, params, signal, dispatch))
    done.push(run)
    options.onRun?.(run)
  }
}

/** Trains all runs of the queue, several at a time. Returns them as they ended; throws what the first that failed threw. */
async function workAll<P extends object>(options: SweepOptions<P>, queue: RunParams<P>[]): Promise<SweepRun<P>[]> {
  const failed = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal
  const sweep: Sweep<P> = { options, queue, done: [], signal }
  const all = queue.length
  // One more than run at a time: while native code trains, this thread prepares the next.
  const workers = Array.from({ length: Math.min(all, MAX_RUNNING + 1) }, () => work(sweep))
  await Promise.all(workers.map(worker => worker.catch(error => failed.abort(error))))
  const ended = options.signal?.aborted
  if (ended && sweep.done.length < all) throw new SweepAbortedError(options.signal!.reason, sweep.done, all)
  if (failed.signal.aborted && !ended) throw failed.signal.reason
  return sweep.done
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
 * const { model, params } = result.runs[0]
 * await writeFile('sweep.svg', (await result.chart()).svg)
 * ```
 * Rejects with TypeError or RangeError for options, with the error of the first run that fails, and with ERR_ABORTED
 * (its `runs` are those that had ended) when `signal` aborts.
 */
export async function sweep<P extends object>(options: SweepOptions<P>): Promise<SweepResult<P>> {
  check(options)
  const grid = combinations(options.grid)
  const runs = new Map((await workAll(options, [...grid])).map(run => [run.params, run]))
  const inOrder = grid.map(params => runs.get(params)!)
  return rank(inOrder, options.rankBy ?? (options.test ? 'testLoss' : 'trainLoss'))
}

/** Training on all folds but one and testing on that, for each: `crossValidate`. Not here: the folds (data/folds.ts). */

import { checkFunction, checkInt, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import type { Signal } from '../base/platform_types.js'
import type { Fold } from '../data/index.js'
import { chooseEngine } from '../engine/choose.js'
import type { Model } from '../engine/options.js'
import { textTable } from '../report/index.js'
import { fitSteps } from './fit.js'
import type { FitOptions } from './fit_options.js'
import { type Figure, type History, lastOf, titleOf } from './history.js'
import { runAll } from './parallel_runs.js'
import { type Figures, figuresOf, spreadText } from './spread.js'

/** What trains on a fold: a model and the options of `fit` for it. */
export interface FoldRun extends Omit<FitOptions, 'signal' | 'backend'> {
  /** New for this fold. */
  readonly model: Model
}

/** Options of `crossValidate`. */
export interface CrossValidateOptions {
  /** Row numbers to train and to test on: `data.kFold`, `stratifiedKFold`, `groupKFold`, or one's own. */
  folds: readonly Fold[]
  /** What the random stream of every fold starts from. Default 0. */
  seed?: number
  /** Called as the training on a fold ends. */
  onRun?: (run: FoldResult) => void
  /** Aborts all. */
  signal?: Signal
}

/** One fold's training. */
export interface FoldResult {
  /** Its number, from 0. */
  readonly fold: number
  /** Of its training. */
  readonly history: History
  /** As it was trained. */
  readonly model: Model
}

/** What `crossValidate` returns. */
export interface CrossValidation {
  /** In the order of the folds. */
  readonly runs: readonly FoldResult[]
  /** Means and standard deviations of the last epochs' figures over the folds. */
  readonly figures: Figures
  /** Each fold's figures and their means, as text. */
  table(): string
}

const where = 'crossValidate'

/**
 * Trains a model for every fold, on all cores, each on a random stream of its own that starts from `seed`: a fold has the
 * bits that it would have alone after `random.manualSeed(seed)`, and the default stream is left untouched.
 *
 * `makeRun` builds what a fold needs: scalers are to learn from its training rows only.
 *
 * ```ts
 * const folds = data.stratifiedKFold(y, { nSplits: 5, shuffle: true, randomState: 0 })
 * const { figures } = await crossValidate(
 *   ({ train, test }) => {
 *     const model = new nn.Linear(2, 3)
 *     return {
 *       model,
 *       train: new data.DataLoader(new data.Subset(dataset, train), { batchSize: 16, shuffle: true }),
 *       test: new data.DataLoader(new data.Subset(dataset, test), { batchSize: 64 }),
 *       optimizer: new optim.Adam(model.parameters(), { lr: 0.01 }),
 *       ...{ loss: new nn.CrossEntropyLoss(), epochs: 20 },
 *     }
 *   },
 *   { folds },
 * )
 * console.log(figures.testAcc) // { mean, deviation }
 * ```
 * Rejects with TypeError or RangeError for options, with the error of the first fold that fails, and with ERR_ABORTED
 * (its `runs` are those that had ended) when `signal` aborts. Source: sklearn.model_selection.cross_validate.
 */
export async function crossValidate(
  makeRun: (fold: Fold & { readonly fold: number }) => FoldRun,
  options: CrossValidateOptions,
): Promise<CrossValidation> {
  checkFunction(where, 'makeRun', makeRun)
  const { folds, seed = 0, onRun, signal } = checkOptions(where, options, ['folds', 'seed', 'onRun', 'signal'])
  checkFolds(folds)
  checkInt(where, 'seed', seed)
  if (onRun !== undefined) checkFunction(where, 'onRun', onRun)
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw typeError(where, 'signal to be an AbortSignal', signal)
  const jobs = folds.map((rows, fold) => ({
    seed,
    *steps(stop: AbortSignal, dispatch: Parameters<typeof chooseEngine>[2]) {
      const { model, ...given } = makeRun({ ...rows, fold })
      const all = { ...given, signal: stop }
      return { fold, model, history: yield* fitSteps(model, all, () => chooseEngine(model, all, dispatch)) }
    },
  }))
  const runs = await runAll(where, jobs, signal, onRun)
  const figures = figuresOf(runs.map(({ history }) => history))
  return { runs, figures, table: () => tableOf(runs, figures) }
}

function checkFolds(folds: unknown): void {
  if (!Array.isArray(folds)) throw typeError(where, 'folds to be an array', folds)
  if (folds.length === 0) throw rangeError(where, 'folds to hold at least one', folds)
  folds.forEach((fold, i) => {
    for (const part of ['train', 'test'] as const)
      if (typeof fold?.[part]?.length !== 'number')
        throw typeError(where, `folds[${i}].${part} to be row numbers`, fold?.[part])
  })
}

function tableOf(runs: readonly FoldResult[], figures: Figures): string {
  const row = (fold: string | number, value: (figure: Figure) => string | number) => ({
    fold,
    ...Object.fromEntries(Object.keys(figures).map(figure => [titleOf(figure as Figure), value(figure as Figure)])),
  })
  return textTable([
    ...runs.map(({ fold, history }) => row(fold, figure => lastOf(history, figure))),
    row('mean', figure => spreadText(figures[figure])),
  ])
}

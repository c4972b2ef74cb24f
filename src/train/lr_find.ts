/** The learning-rate range test: `lrFind`. Not here: its result and the suggestions (lr_curve.ts), or training (engines). */

import { checkInt, checkNumber, checkOptions } from '../base/check.js'
import { bothWays, type Steps } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { chooseEngine } from '../engine/choose.js'
import type { Dispatch } from '../engine/chunks.js'
import type { Run } from '../engine/engine.js'
import { exclusively, holdOf } from '../engine/exclusive.js'
import { checkTraining, type Model, type TrainingOptions } from '../engine/options.js'
import { keepState, startTraining } from '../engine/state.js'
import { drawLrCurve, type LrCurve, suggest } from './lr_curve.js'

/** Options of `lrFind`. */
export interface LrFindOptions extends Pick<TrainingOptions, 'train' | 'loss' | 'optimizer' | 'signal' | 'threads'> {
  /** The first rate. Default 1e-7. */
  minLr?: number
  /** The last rate. Default 10. */
  maxLr?: number
  /** Updates, each at a rate of its own. Default 100. */
  steps?: number
  /** Share of the smoothed loss that goes on, in [0, 1). Default 0.9, a mean of about ten batches. */
  smoothing?: number
  /** Stop where the smoothed loss exceeds its minimum so many times. Default 4. */
  divergence?: number
}

type Setting = Required<Omit<LrFindOptions, 'signal' | 'threads'>> & Pick<LrFindOptions, 'signal' | 'threads'>

const known = ['train', 'loss', 'optimizer', 'signal', 'threads', 'minLr', 'maxLr', 'steps', 'smoothing', 'divergence']

function checked(model: Model, options: LrFindOptions): Setting {
  const where = 'lrFind'
  checkOptions(where, options, known)
  const { train, loss, optimizer, signal, threads } = options
  checkTraining(where, model, { train, loss, optimizer, signal, threads })
  const minLr = checkNumber(where, 'minLr', options.minLr ?? 1e-7, { above: 0 })
  return {
    ...{ train, loss, optimizer, signal, threads, minLr },
    maxLr: checkNumber(where, 'maxLr', options.maxLr ?? 10, { above: minLr }),
    steps: checkInt(where, 'steps', options.steps ?? 100, { min: 2 }),
    smoothing: checkNumber(where, 'smoothing', options.smoothing ?? 0.9, { min: 0, below: 1 }),
    divergence: checkNumber(where, 'divergence', options.divergence ?? 4, { above: 1 }),
  }
}

/** Ends the run from within an engine. */
const over = Symbol('over')

/** A run whose rate grows from update to update, until the loss has diverged or the steps are done. */
class RangeTest implements Run {
  readonly options: TrainingOptions
  readonly lr: number[] = []
  readonly loss: number[] = []
  readonly smoothed: number[] = []
  diverged = false
  #updates = 0
  #mean = 0
  #lowest = Infinity

  constructor(private readonly setting: Setting) {
    const { train, loss, optimizer, signal, threads } = setting
    this.options = { train, loss, optimizer, signal, threads }
  }

  beforeUpdate(): void {
    const lr = this.#rate(this.#updates++)
    for (const group of this.setting.optimizer.paramGroups) group.lr = lr
  }

  afterUpdate(): void {}

  /** The plan may be some steps ahead of a loss that ends the test. */
  afterLoss(loss: number): void {
    const { smoothing, divergence } = this.setting
    if (this.#isOver) return
    this.#mean = smoothing * this.#mean + (1 - smoothing) * loss
    const smoothed = this.#mean / (1 - smoothing ** (this.lr.length + 1))
    this.#lowest = Math.min(this.#lowest, smoothed)
    this.diverged = !(smoothed <= this.#lowest + (divergence - 1) * Math.abs(this.#lowest))
    if (!Number.isFinite(smoothed)) return
    this.lr.push(this.#rate(this.lr.length))
    this.loss.push(loss)
    this.smoothed.push(smoothed)
  }

  afterEpoch(): void {}

  // biome-ignore lint/correctness/useYield: nothing to wait for.
  *afterChunk(): Steps<void> {
    const { signal } = this.setting
    if (signal?.aborted) {
      const message = `lrFind: aborted after ${this.lr.length} steps`
      throw new AnnealError('ERR_ABORTED', message, { cause: signal.reason })
    }
    if (this.#isOver) throw over
  }

  updatesLeft(): number {
    return this.setting.steps - this.#updates
  }

  snapshot(): () => void {
    const updates = this.#updates
    return () => {
      this.#updates = updates
    }
  }

  /** What was found; throws ERR_NONFINITE where there was no loss to begin with. */
  result(): LrCurve {
    const { lr, loss, smoothed, diverged } = this
    if (lr.length < 2)
      throw new AnnealError('ERR_NONFINITE', 'lrFind: expected finite losses at the first rates but received others')
    const curve = { lr, loss, smoothed, diverged, suggestions: suggest(lr, smoothed) }
    return { ...curve, chart: () => drawLrCurve(curve) }
  }

  get #isOver(): boolean {
    return this.diverged || this.lr.length >= this.setting.steps
  }

  #rate(i: number): number {
    const { minLr, maxLr, steps } = this.setting
    return minLr * (maxLr / minLr) ** (i / (steps - 1))
  }
}

function* train(model: Model, test: RangeTest, dispatch: Dispatch): Steps<void> {
  startTraining(model)
  const engine = chooseEngine(model, test.options, dispatch)
  try {
    while (true) yield* engine.epochs(test, Infinity)
  } catch (error) {
    if (error !== over) throw error
  } finally {
    engine.handBack()
    engine.close?.()
  }
}

function lrFindSteps(model: Model, options: LrFindOptions, dispatch: Dispatch): Steps<LrCurve> {
  const setting = checked(model, options)
  return exclusively('lrFind', model, setting, function* () {
    const restore = keepState(model, setting)
    holdOf(model).freeze() // what it tries is nothing to be seen by others
    const test = new RangeTest(setting)
    setting.optimizer.switchTo?.('train')
    try {
      yield* train(model, test, dispatch)
    } finally {
      restore()
    }
    return test.result()
  })
}

/**
 * Learning-rate range test: trains `steps` updates while the rate grows exponentially from `minLr` to `maxLr`,
 * `lr(i) = minLr · (maxLr/minLr)^(i/(steps-1))` in every parameter group, and returns the curve of the loss. It ends
 * early where the loss diverges. Model, optimizer and random state are as before afterwards, bit for bit.
 *
 * ```ts
 * const found = await lrFind(model, { train, loss, optimizer })
 * optimizer.paramGroups[0].lr = found.suggestions.valley
 * await writeFile('lr.svg', (await found.chart()).svg)
 * ```
 * Throws TypeError or RangeError for options, ERR_BUSY while a fit uses the model, ERR_NONFINITE where the very first
 * loss is not finite, ERR_ABORTED. `lrFind.sync` is the same without leaving the thread.
 * Source: Smith 2017 (arXiv:1506.01186); Gugger and Howard, fastai.
 */
export const lrFind = bothWays('lrFind', (place, model: Model, options: LrFindOptions) =>
  lrFindSteps(model, options, place),
)

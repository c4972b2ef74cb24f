/** Averages of a model's weights over its training: stochastic weight averaging (SWA) and exponential means (EMA). */

import { checkBoolean, checkFunction, checkNumber, checkOptions } from '../base/check.js'
import { AnnealError, phrase, typeError } from '../base/errors.js'
import { nativeEmitter } from '../emitters/native.js'
import { Module } from '../nn/module.js'
import { shapeText } from '../ops/spec.js'
import { checkAttached, checkTensor, noGrad, type Tensor, tensor, writableData } from '../tensor/index.js'

/** The next average of one tensor, from that of the `n` models before. */
export type AvgFn = (averaged: Tensor, current: Tensor, n: number) => Tensor
/** Moves the averages of many tensors in place. */
export type MultiAvgFn = (averaged: readonly Tensor[], current: readonly Tensor[], n: number) => void

/** Options of `AveragedModel`. */
export interface AveragedModelOptions {
  /** Default: the equal average, `averaged + (current - averaged) / (n + 1)`. */
  avgFn?: AvgFn
  /** In place of `avgFn`. */
  multiAvgFn?: MultiAvgFn
  /** Average buffers too, instead of copying them. Default false. */
  useBuffers?: boolean
}

function checkDecay(where: string, decay: number): number {
  return checkNumber(where, 'decay', decay, { min: 0, max: 1 })
}

/** Moves each average by `weight` of the way; integers are cut off, as in PyTorch. */
function moveAll(averaged: readonly Tensor[], current: readonly Tensor[], weight: number): void {
  averaged.forEach((a, i) => {
    const [own, other] = [writableData('updateParameters', a), current[i].values]
    if (a.dtype === 'float32') nativeEmitter.kernels.lerp({ a: own, b: other, n: a.size, weight })
    else for (let j = 0; j < own.length; j++) own[j] = Math.trunc(own[j] * (1 - weight) + other[j] * weight)
  })
}

/** `averaged + (current - averaged) / (n + 1)`. Source: torch.optim.swa_utils.get_swa_multi_avg_fn. */
export function getSwaMultiAvgFn(): MultiAvgFn {
  return (averaged, current, n) => moveAll(averaged, current, 1 / (n + 1))
}

/** `decay·averaged + (1 - decay)·current`. Source: torch.optim.swa_utils.get_ema_multi_avg_fn. */
export function getEmaMultiAvgFn(decay = 0.999): MultiAvgFn {
  checkDecay('getEmaMultiAvgFn', decay)
  return (averaged, current) => moveAll(averaged, current, 1 - decay)
}

/** `decay·averaged + (1 - decay)·current`, one tensor at a time. Source: torch.optim.swa_utils.get_ema_avg_fn. */
export function getEmaAvgFn(decay = 0.999): AvgFn {
  checkDecay('getEmaAvgFn', decay)
  return (averaged, current) => averaged.mul(decay).add(current.mul(1 - decay))
}

/** Parameters, then buffers, each by name. */
function tensorsOf(model: Module): { parameters: Tensor[]; buffers: Tensor[] } {
  return { parameters: model.parameters(), buffers: model.namedBuffers().map(([, t]) => t) }
}

/**
 * A copy of a model whose weights are the average of those it is shown: SWA by default, EMA by an `avgFn`.
 *
 * ```ts
 * const averaged = new optim.AveragedModel(model, { multiAvgFn: optim.getEmaMultiAvgFn(0.99) })
 * await fit(model, { ...options, onEpochEnd: () => averaged.updateParameters(model) })
 * const { loss } = await evaluate(averaged, testLoader, new nn.CrossEntropyLoss())
 * ```
 * The first model shown is copied. The state dict has `n_averaged` and the weights under `module.`. Batch statistics:
 * `optim.updateBn`. Throws TypeError for what is no module, ERR_SHAPE for a model of other shapes.
 * Source: Izmailov et al. (2018); torch.optim.swa_utils.AveragedModel.
 */
export class AveragedModel<M extends Module = Module> extends Module {
  /** How many models have been averaged. */
  readonly nAveraged: Tensor = tensor(0, { dtype: 'int32' })
  /** The averaged copy. */
  readonly module: M
  readonly useBuffers: boolean
  readonly avgFn: AvgFn | null
  readonly multiAvgFn: MultiAvgFn | null

  constructor(model: M, options: AveragedModelOptions = {}) {
    super()
    const where = 'AveragedModel'
    if (!(model instanceof Module)) throw typeError(where, 'model to be a Module', model)
    checkOptions(where, options, ['avgFn', 'multiAvgFn', 'useBuffers'])
    const { avgFn, multiAvgFn, useBuffers = false } = options
    if (avgFn != null && multiAvgFn != null) throw typeError(where, 'only one of avgFn and multiAvgFn', 'both')
    this.avgFn = avgFn == null ? null : checkFunction(where, 'avgFn', avgFn)
    this.multiAvgFn = multiAvgFn == null ? null : checkFunction(where, 'multiAvgFn', multiAvgFn)
    this.useBuffers = checkBoolean(where, 'useBuffers', useBuffers)
    this.module = model.clone()
    this.registerBuffer('nAveraged', 'n_averaged')
  }

  override forward(...inputs: Parameters<M['forward']>): Tensor {
    return this.module.forward(...(inputs as never[]))
  }

  /** Takes the weights of `model` as they are now into the average. */
  updateParameters(model: Module): void {
    if (!(model instanceof Module)) throw typeError('updateParameters', 'model to be a Module', model)
    const [own, shown] = [tensorsOf(this.module), tensorsOf(model)]
    const averaged = this.useBuffers ? [...own.parameters, ...own.buffers] : own.parameters
    const current = this.useBuffers ? [...shown.parameters, ...shown.buffers] : shown.parameters
    checkAlike([...own.parameters, ...own.buffers], [...shown.parameters, ...shown.buffers])
    for (const t of [...own.parameters, ...own.buffers, ...shown.parameters, ...shown.buffers]) {
      checkAttached('updateParameters', t)
    }
    const n = this.nAveraged.item()
    if (n === 0) copyAll(averaged, current)
    else noGrad(() => move(averaged, current, n, this))
    if (!this.useBuffers) copyAll(own.buffers, shown.buffers)
    writableData('updateParameters', this.nAveraged)[0] = n + 1
  }
}

function move(
  averaged: readonly Tensor[],
  current: readonly Tensor[],
  n: number,
  { avgFn, multiAvgFn }: AveragedModel,
) {
  if (!avgFn) {
    const moveThem = multiAvgFn ?? getSwaMultiAvgFn()
    moveThem(averaged, current, n)
    return
  }
  const next = averaged.map((a, i) =>
    checkTensor('AveragedModel', 'what avgFn gives', avgFn(asFloats(a), asFloats(current[i]), n)),
  )
  checkAlike(averaged, next)
  copyAll(averaged, next)
}

/** Counts as numbers that ops take; they are cut off when they are copied back. */
function asFloats(t: Tensor): Tensor {
  return t.dtype === 'float32' ? t : tensor(Float32Array.from(t.values), { shape: t.shape })
}

function copyAll(to: readonly Tensor[], from: readonly Tensor[]): void {
  to.forEach((t, i) => {
    writableData('updateParameters', t).set(from[i].values)
  })
}

function checkAlike(own: readonly Tensor[], other: readonly Tensor[]): void {
  const shapes = (tensors: readonly Tensor[]) => tensors.map(({ shape }) => shapeText(shape)).join(' ')
  if (shapes(own) === shapes(other)) return
  throw new AnnealError('ERR_SHAPE', phrase('updateParameters', `tensors of shapes ${shapes(own)}`, shapes(other)))
}

/**
 * What losses of each element share: a prediction against a target of the same shape, a kernel that gives value and
 * slopes in one pass, and its float64 twin. Not an op.
 */

import { checkOptions } from '../base/check.js'
import { shapeError } from '../base/errors.js'
import type { Buf, Emitter, Floats, ReferenceKernel } from '../emitters/emitter.js'
import { broadcastShape, expand } from './broadcast.js'
import { checkReduction, emitChain, type LossOptions, type Reduction, reductions } from './reduced_loss.js'
import {
  type Application,
  type BadSample,
  checkDtype,
  checkOperand,
  defineOp,
  type Meta,
  type Operand,
  type Sample,
  shapeText,
  sizeOf,
} from './spec.js'

/** One element's loss and its slopes in prediction and target. */
interface Element {
  readonly value: number
  readonly dx: number
  readonly dtarget: number
}

export interface ElementLossAttrs {
  readonly reduction: Reduction
  readonly scalars: readonly number[]
  /** For each weight of the kernel its position among the inputs, or null. */
  readonly weights: readonly (number | null)[]
}

interface ElementLossSpec<O extends LossOptions> {
  readonly name: string
  /** (x, target, ...weights, each, loss, dx, dtarget, n, reduction, ...scalars) */
  readonly kernel: string
  /** Options that are tensors of weights, broadcast to the prediction's shape; in the kernel's order. */
  readonly weights?: readonly (keyof O & string)[]
  /** Prediction and target must lie in [0, 1]. */
  readonly takesProbabilities?: boolean
  /** The other options besides `reduction`. */
  readonly known?: readonly (keyof O & string)[]
  /** The kernel's scalars, checked. */
  readonly scalars?: (options: O) => readonly number[]
  /** The twin: weights are 1 where there are none. */
  readonly element: (x: number, target: number, weights: readonly number[], scalars: readonly number[]) => Element
  readonly samples: readonly Sample[]
  readonly badSamples?: readonly BadSample[]
}

/** The reference kernel that loops over `element`. */
function twin(weightCount: number, element: ElementLossSpec<LossOptions>['element']): ReferenceKernel {
  return (x: Floats, target: Floats, ...rest: unknown[]) => {
    const weights = rest.slice(0, weightCount) as (Floats | null)[]
    const [each, loss, dx, dtarget] = rest.slice(weightCount) as [Floats | null, Floats, Floats, Floats | null]
    const [n, reduction, ...scalars] = rest.slice(weightCount + 4) as number[]
    const count = reductions[reduction] === 'mean' ? n : 1
    let total = 0
    for (let i = 0; i < n; i++) {
      const own = weights.map(w => (w ? w[i] : 1))
      const at = element(x[i], target[i], own, scalars)
      total += at.value
      if (each) each[i] = at.value
      dx[i] = at.dx / count
      if (dtarget) dtarget[i] = at.dtarget / count
    }
    loss[0] = total / count
  }
}

function checkShapes(where: string, [x, target, ...weights]: readonly Meta[]): void {
  checkDtype(where, 'prediction', x, 'float32')
  checkDtype(where, 'target', target, 'float32')
  if (shapeText(target.shape) !== shapeText(x.shape)) {
    throw shapeError(where, `target to have shape ${shapeText(x.shape)}`, shapeText(target.shape))
  }
  for (const weight of weights) {
    checkDtype(where, 'weights', weight, 'float32')
    if (shapeText(broadcastShape(where, weight.shape, x.shape)) !== shapeText(x.shape)) {
      throw shapeError(where, `weights that broadcast to shape ${shapeText(x.shape)}`, shapeText(weight.shape))
    }
  }
}

/** The check of a loss's options. */
function checkOf<O extends LossOptions>({ name, weights = [], known = [], scalars }: ElementLossSpec<O>) {
  return (options: O): O => {
    checkOptions(name, options, ['reduction', ...weights, ...known])
    checkReduction(name, options.reduction)
    for (const key of weights) if (options[key] != null) checkOperand(name, key, options[key])
    scalars?.(options)
    return options
  }
}

function emitForward(e: Emitter, kernel: string, app: Application<ElementLossAttrs>): Buf {
  const { inputs, attrs, needs } = app
  const [x, target] = inputs
  const n = sizeOf(x.shape)
  const wide = attrs.weights.map(at => at && expand(e, inputs[at].buf, inputs[at].shape, x.shape))
  const [each, dtarget] = [attrs.reduction === 'none', needs[1]].map(want => (want ? e.alloc('float32', n) : null))
  const [loss, dx] = [e.alloc('float32', 1), e.alloc('float32', n)]
  const buffers = [x.buf, target.buf, ...wide, each, loss, dx, dtarget]
  e.kernels[kernel](...buffers, n, reductions.indexOf(attrs.reduction), ...attrs.scalars)
  app.saved = [dx, ...(dtarget ? [dtarget] : [])]
  return each ?? loss
}

const commonBadSamples: readonly BadSample[] = [
  { x: [[2, 3], [2]], message: 'target to have shape [2, 3] but received [2]' },
  { x: [[2], { labels: [0, 1] }], message: 'target to be float32' },
  { x: [[2], 1], message: 'target to be a Tensor' },
  { x: [[2], [2]], args: [{ reduction: 'avg' }], message: "reduction to be 'none' or 'mean' or 'sum'" },
  { x: [[2], [2]], args: [{ Reduction: 'sum' }], message: 'options to be among reduction' },
]

/** The op and the check of its options, which a module makes at construction. */
export function defineElementLoss<O extends LossOptions>(spec: ElementLossSpec<O>) {
  const { name, kernel, weights = [], badSamples = [] } = spec
  const check = checkOf(spec)
  const op = defineOp({
    name,
    parse: (prediction: Operand, target: Operand, options: O = {} as O) => {
      const operands = [checkOperand(name, 'prediction', prediction), checkOperand(name, 'target', target)]
      const { reduction } = check(options)
      const place = (key: keyof O) =>
        options[key] == null ? null : operands.push(options[key] as unknown as Operand) - 1
      const attrs: ElementLossAttrs = {
        weights: weights.map(place),
        reduction: checkReduction(name, reduction),
        scalars: spec.scalars?.(options) ?? [],
      }
      return { operands, attrs }
    },
    infer(inputs, { reduction }) {
      checkShapes(name, inputs)
      return { shape: reduction === 'none' ? inputs[0].shape : [], dtype: 'float32' }
    },
    forward(e, app) {
      if (spec.takesProbabilities) {
        e.probabilities(name, 'prediction', app.inputs[0].buf)
        e.probabilities(name, 'target', app.inputs[1].buf)
      }
      return emitForward(e, kernel, app)
    },
    backward(e, { inputs: [x, , ...rest], attrs, needs, saved: [dx, dtarget] }, grad) {
      const chain = (slopes: Buf) => emitChain(e, slopes, grad.buf, attrs.reduction, sizeOf(x.shape), 1)
      return [needs[0] ? chain(dx) : null, needs[1] ? chain(dtarget) : null, ...rest.map(() => null)]
    },
    reference: { [kernel]: twin(weights.length, spec.element) },
    samples: () => [...spec.samples],
    badSamples: () => [...commonBadSamples, ...badSamples],
  })
  return { op, check }
}

/** Samples of a loss under every reduction. */
export function underReductions(x: readonly unknown[], options: object = {}): Sample[] {
  return reductions.map(reduction => ({ x, args: [{ reduction, ...options }] }))
}

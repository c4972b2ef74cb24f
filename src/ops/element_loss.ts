/**
 * What losses of each element share: a prediction against a target of the same shape, a kernel that gives value and
 * slopes in one pass, and its float64 twin. Not an op.
 */

import { checkOptions } from '../base/check.js'
import { shapeError } from '../base/errors.js'
import type { Buf, Emitter, Floats, TwinArguments, Twins } from '../emitters/emitter.js'
import type { KernelArguments, KernelDims, KernelName } from '../native/types.js'
import { broadcastShape, expand } from './broadcast.js'
import { lossHasNoForm } from './onnx.js'
import { checkReduction, emitChain, type LossOptions, type Reduction, reductions } from './reduced_loss.js'
import {
  type Application,
  type BadSample,
  checkDtype,
  checkOperand,
  defineOp,
  isSameShape,
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

type Numbers = Readonly<Record<string, number>>

/** Kernels that compare n numbers with as many targets. */
type ElementLossKernel = {
  [K in KernelName]: [K, KernelDims[K]] extends [`${string}_fwd_bwd`, 'n'] ? K : never
}[KernelName]

export interface ElementLossAttrs {
  readonly reduction: Reduction
  /** The kernel's scalars besides the reduction, by name. */
  readonly scalars: Numbers
  /** For each weight of the kernel, by name, its position among the inputs. */
  readonly weights: Numbers
}

interface ElementLossSpec<O extends LossOptions> {
  readonly name: string
  readonly kernel: ElementLossKernel
  /** The kernel's weights and the options that they are: tensors, broadcast to the prediction's shape. */
  readonly weights?: Readonly<Record<string, keyof O & string>>
  /** Prediction and target must lie in [0, 1]. */
  readonly takesProbabilities?: boolean
  /** The other options besides `reduction`. */
  readonly known?: readonly (keyof O & string)[]
  /** The kernel's scalars, checked. */
  readonly scalars?: (options: O) => Numbers
  /** The twin, from the element's weights (1 where there are none) and the scalars by name. */
  readonly element: (x: number, target: number, own: Numbers) => Element
  readonly samples: readonly Sample[]
  readonly badSamples?: readonly BadSample[]
}

type TwinArgs = TwinArguments<'mse_fwd_bwd'> & Readonly<Record<string, Floats | number | null | undefined>>

/** The reference kernel that loops over `element`. */
function twin(weights: readonly string[], element: ElementLossSpec<LossOptions>['element']) {
  return (args: TwinArgs) => {
    const { x, target, each, loss, dx, dtarget, n, reduction } = args
    const count = reductions[reduction] === 'mean' ? n : 1
    const own = { ...args } as Record<string, unknown>
    let total = 0
    for (let i = 0; i < n; i++) {
      for (const name of weights) own[name] = (args[name] as Floats | null)?.[i] ?? 1
      const at = element(x[i], target[i], own as Numbers)
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
  if (!isSameShape(target.shape, x.shape)) {
    throw shapeError(where, `target to have shape ${shapeText(x.shape)}`, shapeText(target.shape))
  }
  for (const weight of weights) {
    checkDtype(where, 'weights', weight, 'float32')
    if (!isSameShape(broadcastShape(where, weight.shape, x.shape), x.shape)) {
      throw shapeError(where, `weights that broadcast to shape ${shapeText(x.shape)}`, shapeText(weight.shape))
    }
  }
}

/** The check of a loss's options. */
function checkOf<O extends LossOptions>({ name, weights = {}, known = [], scalars }: ElementLossSpec<O>) {
  return (options: O): O => {
    const tensors = Object.values(weights)
    checkOptions(name, options, ['reduction', ...tensors, ...known])
    checkReduction(name, options.reduction)
    for (const key of tensors) if (options[key] != null) checkOperand(name, key, options[key])
    scalars?.(options)
    return options
  }
}

function emitForward(e: Emitter, kernel: ElementLossKernel, app: Application<ElementLossAttrs>): Buf {
  const { inputs, attrs, needs } = app
  const [x, target] = inputs
  const n = sizeOf(x.shape)
  const [each, dtarget] = [attrs.reduction === 'none', needs[1]].map(want => (want ? e.alloc('float32', n) : null))
  const [loss, dx] = [e.alloc('float32', 1), e.alloc('float32', n)]
  const reduction = reductions.indexOf(attrs.reduction)
  const args: Record<string, Buf | number | null> = {
    x: x.buf,
    target: target.buf,
    each,
    loss,
    dx,
    dtarget,
    n,
    reduction,
  }
  Object.assign(args, attrs.scalars)
  for (const [name, at] of Object.entries(attrs.weights))
    args[name] = expand(e, inputs[at].buf, inputs[at].shape, x.shape)
  e.kernels[kernel](args as KernelArguments<ElementLossKernel, Buf, Buf, Buf>)
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
  const { name, kernel, weights = {}, badSamples = [] } = spec
  const check = checkOf(spec)
  const op = defineOp({
    name,
    parse: (prediction: Operand, target: Operand, options: O = {} as O) => {
      const operands = [checkOperand(name, 'prediction', prediction), checkOperand(name, 'target', target)]
      const { reduction } = check(options)
      const given = Object.entries(weights).filter(([, key]) => options[key] != null)
      const place = (key: keyof O) => operands.push(options[key] as unknown as Operand) - 1
      const attrs: ElementLossAttrs = {
        weights: Object.fromEntries(given.map(([weight, key]) => [weight, place(key)])),
        reduction: checkReduction(name, reduction),
        scalars: spec.scalars?.(options) ?? {},
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
    reference: { [kernel]: twin(Object.keys(weights), spec.element) } as Twins,
    onnx: lossHasNoForm,
    samples: () => [...spec.samples],
    badSamples: () => [...commonBadSamples, ...badSamples],
  })
  return { op, check }
}

/** Samples of a loss under every reduction. */
export function underReductions(x: readonly unknown[], options: object = {}): Sample[] {
  return reductions.map(reduction => ({ x, args: [{ reduction, ...options }] }))
}

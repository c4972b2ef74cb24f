/** What a Tensor can compute, as methods: every op of the registry, and backward. Not here: how (ops/, tape.ts). */

import { AnnealError, phrase, shapeError, typeError } from '../base/errors.js'
import type { Buf } from '../emitters/emitter.js'
import * as registry from '../ops/index.js'
import { type OpSpec, shapeText } from '../ops/spec.js'
import { apply, currentEmitter, runBackward } from './tape.js'
import { checkAttached, Tensor } from './tensor.js'

type OpName = keyof typeof registry
type OpArgs<K extends OpName> = Parameters<(typeof registry)[K]['parse']>
type AfterFirst<P> = P extends [unknown, ...infer R] ? R : never

/** Every op as a function of tensors: `ops.add(a, b)`. */
export type OpFunctions = { readonly [K in OpName]: (...args: OpArgs<K>) => Tensor }
/** Every op as a method of its first operand: `a.add(b)`. */
export type OpMethods = { [K in OpName]: (...args: AfterFirst<OpArgs<K>>) => Tensor }

/** The methods of Tensor that are put on its prototype here. */
export interface TensorMethods extends OpMethods {
  /**
   * Adds d this / d leaf to `.grad` of every leaf that requires a gradient. `gradient`: d(objective) / d this, of this
   * shape; needed where this is not a scalar. Throws ERR_GRAD where nothing requires a gradient.
   */
  backward(gradient?: Tensor): void
}

/** Every op as a function; the same ops are methods of Tensor. */
export const ops = {} as { -readonly [K in OpName]: OpFunctions[K] }

function unitGradient({ size, shape }: Tensor): Buf {
  if (size !== 1)
    throw new AnnealError(
      'ERR_GRAD',
      phrase('backward', 'a gradient argument unless the tensor has one element', `shape ${shapeText(shape)}`),
    )
  return currentEmitter().constant([1])
}

function checkGradient(gradient: Tensor, { shape }: Tensor): Buf {
  if (!(gradient instanceof Tensor)) throw typeError('backward', 'gradient to be a Tensor', gradient)
  if (gradient.dtype !== 'float32' || shapeText(gradient.shape) !== shapeText(shape)) {
    throw shapeError(
      'backward',
      `gradient to be float32 of shape ${shapeText(shape)}`,
      `${gradient.dtype} ${shapeText(gradient.shape)}`,
    )
  }
  checkAttached('backward', gradient)
  return gradient.buf
}

function backward(this: Tensor, gradient?: Tensor): void {
  if (!this.requiresGrad) throw new AnnealError('ERR_GRAD', 'backward: expected a tensor that requires a gradient')
  runBackward(this, gradient === undefined ? unitGradient(this) : checkGradient(gradient, this))
}

function define(name: string, value: (this: Tensor, ...args: never[]) => unknown): void {
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true })
}

define('backward', backward)
for (const [name, spec] of Object.entries(registry) as [OpName, OpSpec][]) {
  ops[name] = ((...args: unknown[]) => apply(spec, args)) as never
  define(name, function (...args: unknown[]) {
    return apply(spec, [this, ...args])
  })
}

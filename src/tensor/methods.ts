/** What a Tensor can compute, as methods: every op, what is composed of ops, and backward. Not here: how (ops/, tape.ts). */

import { AnnealError, phrase, shapeError, typeError } from '../base/errors.js'
import type { Buf } from '../emitters/emitter.js'
import * as registry from '../ops/index.js'
import { isSameShape, type OpSpec, shapeText } from '../ops/spec.js'
import type { Composed } from './composed/composed.js'
import * as composed from './composed/index.js'
import { apply, currentEmitter, runBackward } from './tape.js'
import { checkAttached, Tensor } from './tensor.js'

type Registry = typeof registry
type OpName = keyof Registry
type ComposedName = keyof typeof composed

/** Every op, and what is composed of ops, as a function of tensors: `ops.add(a, b)`. */
export type OpFunctions = {
  readonly [K in OpName]: (...args: Parameters<Registry[K]['parse']>) => Tensor
} & { readonly [K in ComposedName]: (typeof composed)[K]['call'] }

/** A function as a method of its first argument; up to two signatures. */
type AsMethod<F> = F extends {
  (first: never, ...rest: infer P): infer R
  (first: never, ...rest: infer Q): infer S
}
  ? { (...rest: P): R; (...rest: Q): S }
  : never
type AfterFirst<P> = P extends [unknown, ...infer R] ? R : never

/** The ops whose first argument is a list. */
type ListOp = { [K in OpName]: Parameters<Registry[K]['parse']>[0] extends readonly unknown[] ? K : never }[OpName]

/** Every op as a method of its first operand: `a.add(b)`; not those that say otherwise (`OpSpec.isMethod`). */
export type OpMethods = {
  [K in Exclude<OpName, ListOp | 'where'>]: (...args: AfterFirst<Parameters<Registry[K]['parse']>>) => Tensor
} & { [K in ComposedName]: AsMethod<(typeof composed)[K]['call']> }

/** The methods of Tensor that are put on its prototype here. */
export interface TensorMethods extends OpMethods {
  /**
   * Adds d this / d leaf to `.grad` of every leaf that requires a gradient. `gradient`: d(objective) / d this, of this
   * shape; needed where this is not a scalar. Throws ERR_GRAD where nothing requires a gradient.
   */
  backward(gradient?: Tensor): void
  /** This where `condition` is not 0, else `other`: `ops.where` with its operands in the order of PyTorch's method. */
  where(condition: Tensor, other: Tensor | number): Tensor
}

/** Every op as a function; the same ops are methods of Tensor. */
export const ops = {} as { -readonly [K in keyof OpFunctions]: OpFunctions[K] }

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
  if (gradient.dtype !== 'float32' || !isSameShape(gradient.shape, shape)) {
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
define('where', function (condition: Tensor, other: Tensor | number) {
  return ops.where(condition, this, other)
})

/** A function of tensors, its arguments in a list, under its name and as a method. */
function offer(name: string, call: (args: unknown[]) => unknown, isMethod = true): void {
  ;(ops as Record<string, unknown>)[name] = (...args: unknown[]) => call(args)
  if (!isMethod) return
  define(name, function (...args: unknown[]) {
    args.unshift(this)
    return call(args)
  })
}

for (const [name, spec] of Object.entries(registry) as [string, OpSpec][])
  offer(name, args => apply(spec, args), spec.isMethod)
for (const [name, { call }] of Object.entries(composed) as [string, Composed][]) offer(name, args => call(...args))

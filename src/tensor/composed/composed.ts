/**
 * The shape of a function that is composed of ops: it has no kernel, no gradient and no ONNX form of its own, because its
 * parts have them; a plan records the parts. Not here: ops (ops/spec.ts).
 */

import type { BadSample, Sample } from '../../ops/spec.js'
import { where } from '../../ops/where.js'
import { apply } from '../tape.js'
import type { Tensor } from '../tensor.js'

/** A function of a tensor, which comes first, with samples for every generic test. */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds functions of all kinds.
export interface Composed<F extends (...args: any[]) => unknown = (...args: any[]) => unknown> {
  readonly name: string
  readonly call: F
  readonly samples: () => Sample[]
  readonly badSamples: () => BadSample[]
}

/** Identity with inference of the function. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
export function compose<F extends (...args: any[]) => unknown>(composed: Composed<F>): Composed<F> {
  return composed
}

/** a where the condition is not 0, else b: as a method it begins with a. */
export function choose(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  return apply(where, [condition, a, b])
}

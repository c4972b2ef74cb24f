/** Random tensors, drawn from the default generator or one's own. Not here: the streams (streams/). */

import { checkInt, checkOptions } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { newFloats } from '../native/memory.js'
import { checkGenerator, type Generator } from '../streams/generator.js'
import { Tensor } from '../tensor/tensor.js'

/** Options of every random tensor. */
export interface SamplingOptions {
  /** Default: the default generator. */
  generator?: Generator
  /** Record ops on the result for `backward`. Default false. */
  requiresGrad?: boolean
}

function sizeOf(where: string, shape: readonly number[]): number {
  if (!Array.isArray(shape)) throw typeError(where, 'shape to be an array', shape)
  for (const size of shape) checkInt(where, 'sizes in shape', size, { min: 0 })
  return checkInt(
    where,
    'the number of elements',
    shape.reduce((a, b) => a * b, 1),
    { max: 2 ** 31 - 1 },
  )
}

function floats(
  where: string,
  shape: readonly number[],
  options: SamplingOptions,
  fill: (generator: Generator, out: Float32Array) => void,
): Tensor {
  const { generator, requiresGrad = false } = checkOptions(where, options, ['generator', 'requiresGrad'])
  const stream = checkGenerator(where, generator)
  const out = newFloats(sizeOf(where, shape))
  fill(stream, out)
  const result = new Tensor([...shape], 'float32', out)
  if (requiresGrad) result.requiresGrad = requiresGrad
  return result
}

/**
 * Uniform values in [0, 1), float32.
 *
 * ```ts
 * random.manualSeed(0)
 * random.rand([2, 2]).toArray() // [[0.4962566, 0.7682218], [0.08847743, 0.13203049]]
 * ```
 * Throws TypeError or RangeError for a shape that is no array of sizes. Source: torch.rand.
 */
export function rand(shape: readonly number[], options: SamplingOptions = {}): Tensor {
  return floats('random.rand', shape, options, (generator, out) => generator.uniform_(out))
}

/**
 * Standard normal values, float32.
 *
 * ```ts
 * random.randn([32, 784])
 * ```
 * Errors as `rand`. Source: torch.randn.
 */
export function randn(shape: readonly number[], options: SamplingOptions = {}): Tensor {
  return floats('random.randn', shape, options, (generator, out) => generator.normal_(out))
}

/**
 * Integers in [low, high), int32.
 *
 * ```ts
 * random.randint(0, 10, [4])
 * ```
 * Throws RangeError unless -2^31 <= low < high <= 2^31. Source: torch.randint.
 */
export function randint(
  low: number,
  high: number,
  shape: readonly number[],
  options: { generator?: Generator } = {},
): Tensor {
  const where = 'random.randint'
  const { generator } = checkOptions(where, options, ['generator'])
  const values = checkGenerator(where, generator).randint(low, high, sizeOf(where, shape))
  return new Tensor([...shape], 'int32', values)
}

/**
 * A random order of 0 … n-1, int32.
 *
 * ```ts
 * random.randperm(10)
 * ```
 * Throws RangeError unless 0 <= n < 2^31. Source: torch.randperm.
 */
export function randperm(n: number, options: { generator?: Generator } = {}): Tensor {
  const { generator } = checkOptions('random.randperm', options, ['generator'])
  const order = checkGenerator('random.randperm', generator).randperm(n)
  return new Tensor([order.length], 'int32', order)
}

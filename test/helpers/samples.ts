/** Turns an op's samples (shapes, labels, options) into tensors with reproducible values. Not a test. */

import { type Sample, sizeOf } from '../../src/ops/spec.js'
import { manualSeed } from '../../src/random/index.js'
import { ops, Tensor } from '../../src/tensor/index.js'

type FloatArray = Float32ArrayConstructor | Float64ArrayConstructor

/** Bounds of positive values. */
interface Range {
  from: number
  to: number
}

/** A reproducible source of operand values, of both signs or in a range; `nudged` changes one element of one operand. */
export interface Draw {
  values(operand: number, size: number, range?: Range): Float64Array
  nudged(operand: number, element: number, by: number): Draw
}

/** A small generator for test data (splitmix32), independent of the library's streams. */
function uniforms(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32
  }
}

const positive: Range = { from: 0.1, to: 2 }

/** Values in ±2 but away from 0, where some ops have a kink, exact in float32. */
export function floats(seed: number, nudge?: { operand: number; element: number; by: number }): Draw {
  return {
    values(operand, size, range) {
      const next = uniforms(seed * 31 + operand)
      const { from, to } = range ?? positive
      const out = Float64Array.from({ length: size }, () => {
        const magnitude = from + (to - from) * next()
        return Math.fround(next() < 0.5 && !range ? -magnitude : magnitude)
      })
      if (nudge && nudge.operand === operand && nudge.element < size) out[nudge.element] += nudge.by
      return out
    },
    nudged: (operand, element, by) => floats(seed, { operand, element, by }),
  }
}

/** One more input: it requires gradients. */
function input(shape: readonly number[], draw: Draw, Floats: FloatArray, inputs: Tensor[], range?: Range): Tensor {
  const t = new Tensor(shape, 'float32', Floats.from(draw.values(inputs.length, sizeOf(shape), range)))
  t.requiresGrad = true
  inputs.push(t)
  return t
}

/** What a sample says of a float operand: its shape, and bounds where it has some. */
function floatOperand(arg: unknown): { shape: number[]; range?: Range } | null {
  if (Array.isArray(arg)) return arg.every(size => Number.isInteger(size) && size >= 0) ? { shape: arg } : null
  const { shape, from, to } = (arg ?? {}) as Partial<Range & { shape: number[] }>
  return shape && from !== undefined && to !== undefined ? { shape, range: { from, to } } : null
}

/** Options with their tensors made: `{ shape }` is a constant, `{ parameter }` one more input that requires gradients. */
function withTensors(options: object, draw: Draw, Floats: FloatArray, inputs: Tensor[]): object {
  const convert = (value: unknown) => {
    const trained = (value as { parameter?: number[] } | null)?.parameter
    if (trained) return input(trained, draw, Floats, inputs)
    const labels = labelsOf(value)
    if (labels) return labels
    const shape = (value as { shape?: number[] } | null)?.shape
    return shape ? new Tensor(shape, 'float32', Floats.from(draw.values(9, sizeOf(shape), positive))) : value
  }
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, convert(value)]))
}

/** The int32 tensor that a sample describes. */
function labelsOf(operand: unknown): Tensor | null {
  const { labels, shape = [labels?.length ?? 0] } = (operand ?? {}) as { labels?: number[]; shape?: number[] }
  return labels ? new Tensor(shape, 'int32', Int32Array.from(labels)) : null
}

/** The arguments of a sample; `inputs` are the float operands, which require gradients. */
export function operands({ x, args = [] }: Sample, draw: Draw, Floats: FloatArray) {
  const inputs: Tensor[] = []
  const make = (operand: unknown): unknown => {
    const list = (operand as { list?: unknown[] } | null)?.list
    if (list) return list.map(make)
    const float = labelsOf(operand) ? null : floatOperand(operand)
    return labelsOf(operand) ?? (float ? input(float.shape, draw, Floats, inputs, float.range) : operand)
  }
  const made = x.map(make)
  const parameter = (arg: unknown) => {
    const shape = (arg as { parameter?: number[] } | null)?.parameter
    return shape ? input(shape, draw, Floats, inputs) : null
  }
  const isOptions = (arg: unknown) => typeof arg === 'object' && arg !== null && !Array.isArray(arg)
  const options = (arg: unknown) => (isOptions(arg) ? withTensors(arg as object, draw, Floats, inputs) : arg)
  const rest = args.map(arg => labelsOf(arg) ?? parameter(arg) ?? options(arg))
  return { args: [...made, ...rest], inputs }
}

/** The one tensor that a result is, or what it has of tensors with gradients, one behind the other. */
export function asOne(result: unknown): Tensor {
  if (result instanceof Tensor) return result
  const parts: Tensor[] = Array.isArray(result) ? result : [(result as { values: Tensor }).values]
  return ops.cat(parts.map(part => part.reshape([-1])))
}

/** Σ weights · op(args) with random weights: value, result and the gradient of every float operand. Each call draws the same. */
export function weighted(name: keyof typeof ops, sample: Sample, draw: Draw, Floats: FloatArray) {
  manualSeed(5)
  const { args, inputs } = operands(sample, draw, Floats)
  const out = asOne((ops[name] as (...a: unknown[]) => unknown)(...args))
  const result = out.data as unknown as Float64Array
  if (!out.requiresGrad) return { value: 0, out: result, inputs: [], grads: [] }
  const weights = Floats.from(draw.values(7, out.size))
  out.backward(new Tensor(out.shape, 'float32', weights))
  let value = 0
  for (let i = 0; i < out.size; i++) value += result[i] * weights[i]
  const grads = inputs.map(t => (t.grad ? (t.grad.data as unknown as Float64Array) : new Float64Array(t.size)))
  return { value, out: result, inputs: inputs.map(t => t.data), grads }
}

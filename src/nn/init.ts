/**
 * Initialisers under PyTorch's names: each overwrites a tensor with PyTorch's numbers for the same seed. Not here: the
 * streams (random/), and which layer starts how (the layers).
 */

import { checkNumber, checkOneOf, checkOptions } from '../base/check.js'
import { erf } from '../base/erf.js'
import { AnnealError, phrase, shapeError, typeError } from '../base/errors.js'
import { shapeText, sizeOf } from '../ops/spec.js'
import { checkGenerator, defaultGenerator, type Generator } from '../streams/generator.js'
import { Tensor, writableData } from '../tensor/index.js'

/** Where random values come from. */
export interface Drawn {
  /** Default: the default generator. */
  generator?: Generator
}

/** Activations whose gain is known. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu'

const nonlinearities: readonly Nonlinearity[] = ['linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'selu']

/** The values of a float32 tensor, to be overwritten. */
function valuesOf(where: string, t: Tensor): Float32Array {
  if (!(t instanceof Tensor)) throw typeError(where, 't to be a Tensor', t)
  if (t.dtype !== 'float32') throw new AnnealError('ERR_DTYPE', phrase(where, 't to be float32', t.dtype))
  return writableData(where, t, 't') as Float32Array
}

function checkMatrix(where: string, { shape }: Tensor): [rows: number, columns: number] {
  if (shape.length !== 2) throw shapeError(where, 't to have 2 dimensions', shapeText(shape))
  return [shape[0], shape[1]]
}

/** Inputs and outputs of a weight [out, in, ...]. */
function fans(where: string, { shape }: Tensor): { fanIn: number; fanOut: number } {
  if (shape.length < 2) throw shapeError(where, 't to have at least 2 dimensions', shapeText(shape))
  const field = sizeOf(shape.slice(2))
  return { fanIn: shape[1] * field, fanOut: shape[0] * field }
}

/**
 * Uniform values in [a, b).
 *
 * ```ts
 * nn.init.uniform_(layer.weight, { a: -0.1, b: 0.1 })
 * ```
 * Returns the tensor, as all initialisers do. Source: torch.nn.init.uniform_.
 */
export function uniform_(t: Tensor, options: Drawn & { a?: number; b?: number } = {}): Tensor {
  const { a = 0, b = 1, generator } = checkOptions('uniform_', options, ['a', 'b', 'generator'])
  const values = valuesOf('uniform_', t)
  checkNumber('uniform_', 'a', a)
  checkNumber('uniform_', 'b', b, { min: a })
  checkGenerator('uniform_', generator).uniform_(values, a, b)
  return t
}

/** Normal values of this mean and standard deviation (default 0 and 1). Source: torch.nn.init.normal_. */
export function normal_(t: Tensor, options: Drawn & { mean?: number; std?: number } = {}): Tensor {
  const { mean = 0, std = 1, generator } = checkOptions('normal_', options, ['mean', 'std', 'generator'])
  const values = valuesOf('normal_', t)
  checkNumber('normal_', 'mean', mean)
  checkNumber('normal_', 'std', std, { min: 0 })
  checkGenerator('normal_', generator).normal_(values, mean, std)
  return t
}

/** The same value everywhere. Source: torch.nn.init.constant_. */
export function constant_(t: Tensor, value: number): Tensor {
  if (typeof value !== 'number') throw typeError('constant_', 'value to be a number', value)
  valuesOf('constant_', t).fill(value)
  return t
}

/** Ones. Source: torch.nn.init.ones_. */
export function ones_(t: Tensor): Tensor {
  valuesOf('ones_', t).fill(1)
  return t
}

/** Zeros. Source: torch.nn.init.zeros_. */
export function zeros_(t: Tensor): Tensor {
  valuesOf('zeros_', t).fill(0)
  return t
}

/** The identity matrix; as much of it as fits where the tensor is not square. Source: torch.nn.init.eye_. */
export function eye_(t: Tensor): Tensor {
  const values = valuesOf('eye_', t)
  const [rows, columns] = checkMatrix('eye_', t)
  values.fill(0)
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1
  return t
}

/**
 * The factor by which an activation shrinks its input's standard deviation, made up for: 1 (linear, sigmoid), 5/3 (tanh),
 * √2 (relu), √(2/(1 + slope²)) (leakyRelu; `slope` default 0.01), 3/4 (selu).
 *
 * ```ts
 * nn.init.xavierUniform_(layer.weight, { gain: nn.init.calculateGain('tanh') })
 * ```
 * Source: torch.nn.init.calculate_gain.
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  checkOneOf('calculateGain', 'nonlinearity', nonlinearity, nonlinearities)
  checkNumber('calculateGain', 'slope', slope)
  const gains = { linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.sqrt(2), selu: 3 / 4 }
  return nonlinearity === 'leakyRelu' ? Math.sqrt(2 / (1 + slope ** 2)) : gains[nonlinearity]
}

function xavierStd(where: string, t: Tensor, gain: number): number {
  checkNumber(where, 'gain', gain, { min: 0 })
  const { fanIn, fanOut } = fans(where, t)
  return gain * Math.sqrt(2 / (fanIn + fanOut))
}

/**
 * Uniform in ±gain·√(6/(fanIn + fanOut)): keeps the variance of activations and gradients (Glorot and Bengio 2010).
 *
 * ```ts
 * nn.init.xavierUniform_(layer.weight)
 * ```
 * Throws ERR_SHAPE for a tensor of less than two dimensions. Source: torch.nn.init.xavier_uniform_.
 */
export function xavierUniform_(t: Tensor, options: Drawn & { gain?: number } = {}): Tensor {
  const { gain = 1, generator } = checkOptions('xavierUniform_', options, ['gain', 'generator'])
  const values = valuesOf('xavierUniform_', t)
  const bound = Math.sqrt(3) * xavierStd('xavierUniform_', t, gain)
  checkGenerator('xavierUniform_', generator).uniform_(values, values.length ? -bound : 0, values.length ? bound : 0)
  return t
}

/** Normal with standard deviation gain·√(2/(fanIn + fanOut)). Source: torch.nn.init.xavier_normal_. */
export function xavierNormal_(t: Tensor, options: Drawn & { gain?: number } = {}): Tensor {
  const { gain = 1, generator } = checkOptions('xavierNormal_', options, ['gain', 'generator'])
  const values = valuesOf('xavierNormal_', t)
  const std = xavierStd('xavierNormal_', t, gain)
  checkGenerator('xavierNormal_', generator).normal_(values, 0, values.length ? std : 0)
  return t
}

/** Options of `kaimingUniform_` and `kaimingNormal_`. */
export interface KaimingOptions extends Drawn {
  /** Slope below 0 of the rectifier that follows, for `leakyRelu`. Default 0. */
  a?: number
  /** Keep the variance forward (`fanIn`) or backward (`fanOut`). Default fanIn. */
  mode?: 'fanIn' | 'fanOut'
  /** The activation that follows. Default leakyRelu. */
  nonlinearity?: Nonlinearity
}

function kaimingStd(where: string, t: Tensor, options: KaimingOptions): number {
  checkOptions(where, options, ['a', 'mode', 'nonlinearity', 'generator'])
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options
  const fan = fans(where, t)[checkOneOf(where, 'mode', mode, ['fanIn', 'fanOut'])]
  return calculateGain(nonlinearity, a) / Math.sqrt(fan)
}

/**
 * Uniform in ±gain·√(3/fan): keeps the variance behind rectifiers (He et al. 2015).
 *
 * ```ts
 * nn.init.kaimingUniform_(layer.weight, { nonlinearity: 'relu' })
 * ```
 * A tensor without elements draws nothing. Throws ERR_SHAPE for less than two dimensions.
 * Source: torch.nn.init.kaiming_uniform_.
 */
export function kaimingUniform_(t: Tensor, options: KaimingOptions = {}): Tensor {
  const values = valuesOf('kaimingUniform_', t)
  const bound = Math.sqrt(3) * kaimingStd('kaimingUniform_', t, options)
  if (values.length) checkGenerator('kaimingUniform_', options.generator).uniform_(values, -bound, bound)
  return t
}

/** Normal with standard deviation gain/√fan. Options and errors as `kaimingUniform_`. Source: torch.nn.init.kaiming_normal_. */
export function kaimingNormal_(t: Tensor, options: KaimingOptions = {}): Tensor {
  const values = valuesOf('kaimingNormal_', t)
  const std = kaimingStd('kaimingNormal_', t, options)
  if (values.length) checkGenerator('kaimingNormal_', options.generator).normal_(values, 0, std)
  return t
}

/** Options of `truncNormal_`. */
export interface TruncNormalOptions extends Drawn {
  /** Mean of the normal that is cut off. Default 0. */
  mean?: number
  /** Of the normal that is cut off, > 0. Default 1. */
  std?: number
  /** The lower bound. Default -2. */
  a?: number
  /** The upper bound. Default 2. */
  b?: number
}

const cdf = (x: number) => (1 + erf(x / Math.SQRT2)) / 2

/** Draws all anew until none is outside; those that fit stay. */
function rejectNormals(values: Float32Array, g: Generator, mean: number, std: number, a: number, b: number): void {
  const [low, high] = [Math.fround(a), Math.fround(b)]
  const outside = (v: number) => v < low || v > high
  g.normal_(values, mean, std)
  const fresh = new Float32Array(values.length)
  while (values.some(outside)) {
    g.normal_(fresh, mean, std)
    fresh.forEach((v, i) => {
      if (outside(values[i])) values[i] = v
    })
  }
}

/** Uniform candidates, each accepted with the density's share of its peak; in float32 as PyTorch. */
function rejectUniforms(values: Float32Array, g: Generator, mean: number, std: number, a: number, b: number): void {
  const f = Math.fround
  const mode = Math.max(a, Math.min(mean, b))
  const logPeak = f(-0.5 * ((mode - mean) / std) ** 2)
  const [candidates, chances] = [new Float32Array(values.length), new Float32Array(values.length)]
  const pending = new Uint8Array(values.length).fill(1)
  while (pending.includes(1)) {
    g.uniform_(candidates, a, b)
    g.uniform_(chances)
    candidates.forEach((v, i) => {
      if (!pending[i]) return
      values[i] = v
      const z = f(f(v - f(mean)) / f(std))
      pending[i] = Number(f(Math.log(chances[i])) > f(f(f(z * z) * -0.5) - logPeak))
    })
  }
}

/**
 * Normal values of [a, b] only: rejected and drawn again where outside, or, where less than 0.3 of the normal is
 * inside, uniform ones thinned out to the density.
 *
 * ```ts
 * nn.init.truncNormal_(layer.weight, { std: 0.02 })
 * ```
 * Takes long where the interval is wide and far out, as in PyTorch. Throws RangeError unless a < b.
 * Source: torch.nn.init.trunc_normal_ (2.13; before, it was made of an inverse error function).
 */
export function truncNormal_(t: Tensor, options: TruncNormalOptions = {}): Tensor {
  const where = 'truncNormal_'
  checkOptions(where, options, ['mean', 'std', 'a', 'b', 'generator'])
  const { mean = 0, std = 1, a = -2, b = 2 } = options
  const values = valuesOf(where, t)
  checkNumber(where, 'mean', mean)
  checkNumber(where, 'std', std, { above: 0 })
  checkNumber(where, 'a', a)
  checkNumber(where, 'b', b, { above: a })
  const share = cdf((b - mean) / std) - cdf((a - mean) / std)
  const reject = share > 0.3 ? rejectNormals : rejectUniforms
  reject(values, checkGenerator(where, options.generator), mean, std, a, b)
  return t
}

/** The columns of a matrix [rows, columns] made orthonormal, one after the other, in float64 (Gram and Schmidt). */
function orthonormalize(columns: readonly Float64Array[]): void {
  const dot = (u: Float64Array, v: Float64Array) => {
    let sum = 0
    for (let i = 0; i < u.length; i++) sum += u[i] * v[i]
    return sum
  }
  columns.forEach((v, j) => {
    const norm = Math.sqrt(dot(v, v))
    for (let i = 0; i < v.length; i++) v[i] /= norm
    for (const later of columns.slice(j + 1)) {
      const share = dot(v, later)
      for (let i = 0; i < v.length; i++) later[i] -= share * v[i]
    }
  })
}

/**
 * A random (semi-)orthogonal matrix times `gain`: rows or columns, whichever are fewer, are orthonormal (Saxe et al. 2013).
 * Further dimensions count as columns.
 *
 * ```ts
 * nn.init.orthogonal_(layer.weight, { gain: nn.init.calculateGain('relu') })
 * ```
 * The numbers agree with PyTorch's to rounding (about 1e-6). Throws ERR_SHAPE for less than two dimensions.
 * Source: torch.nn.init.orthogonal_.
 */
export function orthogonal_(t: Tensor, options: Drawn & { gain?: number } = {}): Tensor {
  const where = 'orthogonal_'
  const { gain = 1, generator } = checkOptions(where, options, ['gain', 'generator'])
  const values = valuesOf(where, t)
  checkNumber(where, 'gain', gain)
  if (t.shape.length < 2) throw shapeError(where, 't to have at least 2 dimensions', shapeText(t.shape))
  if (values.length === 0) return t
  const stream = checkGenerator(where, generator)
  const rows = t.shape[0]
  const columns = values.length / rows
  const drawn = stream.normal_(new Float32Array(values.length))
  // Vectors along the longer side: q·r = drawn with r's diagonal positive is unique, as is PyTorch's after its signs.
  const at = (v: number, i: number) => (rows < columns ? v * columns + i : i * columns + v)
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)]
  const vectors = Array.from({ length: count }, (_, v) => Float64Array.from({ length }, (_, i) => drawn[at(v, i)]))
  orthonormalize(vectors)
  vectors.forEach((vector, v) => {
    vector.forEach((value, i) => {
      values[at(v, i)] = Math.fround(value) * gain
    })
  })
  return t
}

/**
 * Normal values of which ⌈sparsity·rows⌉ in each column are 0 (Martens 2010); t: [rows, columns].
 *
 * ```ts
 * nn.init.sparse_(layer.weight, 0.9, { std: 0.01 })
 * ```
 * As in PyTorch, which rows are 0 is drawn from the default generator even where another one is given.
 * Source: torch.nn.init.sparse_.
 */
export function sparse_(t: Tensor, sparsity: number, options: Drawn & { std?: number } = {}): Tensor {
  const { std = 0.01, generator } = checkOptions('sparse_', options, ['std', 'generator'])
  checkNumber('sparse_', 'sparsity', sparsity, { min: 0, max: 1 })
  valuesOf('sparse_', t)
  const [rows, columns] = checkMatrix('sparse_', t)
  normal_(t, { std, generator })
  for (let c = 0; c < columns; c++) {
    for (const r of defaultGenerator.randperm(rows).subarray(0, Math.ceil(sparsity * rows)))
      t.values[r * columns + c] = 0
  }
  return t
}

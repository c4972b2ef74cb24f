/** The kernels on random shapes and values, against their float64 twins. */

import type { Backend, KernelArgs } from '../backend.js'
import { twins } from '../eager.js'
import { Draw } from './draw.js'
import { isOurs, judge, noVerdict, smallestOf, statedTerms, type Truth, tfjsFactor, type Verdict } from './judge.js'
import type { Case, Subject } from './subject.js'

interface Inputs {
  /** The kernel's buffers; outputs, in its order, as their lengths. */
  readonly buffers: Readonly<Record<string, Float32Array | Int32Array | null | { readonly length: number }>>
  readonly dims: Readonly<Record<string, number>>
  readonly scalars?: Readonly<Record<string, number>>
  /** Terms that TensorFlow.js is allowed; by default ours, which hold for a product summed in any order. */
  readonly tfjsTerms?: number
  /** Options that only our backends have. */
  readonly oursOnly?: boolean
}

interface KernelSubject {
  readonly inputs: (draw: Draw) => Inputs
  /** Magnitudes of the outputs; by default the twin `magnitude` on absolute values. */
  readonly magnitudes: (inputs: Inputs) => Readonly<Record<string, Float64Array>>
}

const isOutput = (buffer: Inputs['buffers'][string]): buffer is { length: number } =>
  buffer !== null && !ArrayBuffer.isView(buffer)

/** Arguments with new outputs of a type. */
function argumentsOf({ buffers, dims, scalars }: Inputs, Floats: Float64ArrayConstructor | Float32ArrayConstructor) {
  const lengths = Object.entries(buffers).flatMap(([name, buffer]) => (isOutput(buffer) ? [[name, buffer.length]] : []))
  const outputs: Record<string, Float32Array | Float64Array> = Object.fromEntries(
    lengths.map(([name, length]) => [name, new Floats(length as number)]),
  )
  const args = { ...buffers, ...outputs, ...dims, ...scalars } as KernelArgs
  return { args, outputs }
}

/** The outputs of a twin in float64. */
function inFloat64(kernel: string, inputs: Inputs): Record<string, Float64Array> {
  const { args, outputs } = argumentsOf(inputs, Float64Array)
  twins[kernel](args)
  return outputs as Record<string, Float64Array>
}

/** Magnitudes of a kernel that is a sum of products: the kernel on absolute values, the mask `a` as it is. */
function ofAbsolutes(kernel: string): KernelSubject['magnitudes'] {
  return inputs => {
    const buffers = Object.entries(inputs.buffers).map(([name, buffer]) => {
      return [name, buffer instanceof Float32Array && name !== 'a' ? buffer.map(Math.abs) : buffer]
    })
    return inFloat64(kernel, { ...inputs, buffers: Object.fromEntries(buffers) })
  }
}

const forward = (draw: Draw): Inputs => {
  const [m, k, n, texture] = [draw.size(), draw.size(), draw.size(), draw.texture()]
  const [x, w] = [draw.floats(m * k, texture), draw.floats(n * k, texture)]
  const b = draw.chance(75) ? draw.floats(n, texture) : null
  return { buffers: { x, w, b, y: { length: m * n } }, dims: { m, k, n } }
}

function crossEntropyInputs(draw: Draw): Inputs {
  const [m, n] = [draw.size(), draw.integer(1, 40)]
  const ignoreIndex = draw.chance(70) ? -100 : draw.integer(0, n - 1)
  const labels = Int32Array.from({ length: m }, () => (draw.chance(10) ? ignoreIndex : draw.integer(0, n - 1)))
  if (labels.every(label => label === ignoreIndex)) labels[0] = ignoreIndex === 0 ? n - 1 : 0
  const logits = draw.floats(m * n, draw.texture()).map(v => v * 4)
  const weight = draw.chance(30) ? draw.floats(n).map(v => Math.abs(v) + 0.1) : null
  const smoothing = draw.chance(60) ? 0 : draw.uniform()
  return {
    buffers: { logits, labels, weight, each: { length: m }, loss: { length: 1 }, dlogits: { length: m * n } },
    dims: { m, n },
    scalars: {
      reduction: draw.integer(0, 2),
      ignore_index: labels[0] === ignoreIndex && n === 1 ? -100 : ignoreIndex,
      label_smoothing: smoothing,
    },
    tfjsTerms: tfjsFactor * (statedTerms('softmax_xent_fwd_bwd', { m, n }) + 1) + m,
    oursOnly: n === 1 || (weight !== null && smoothing > 0),
  }
}

/** Magnitudes of one row's loss and gradient, from those of its shifted logits, their exponentials and their logarithm. */
function crossEntropyRow(x: Float64Array, label: number, weight: Float32Array | null, smoothing: number) {
  const max = x.reduce((a, b) => Math.max(a, b))
  const shifted = x.map(v => Math.abs(v) + Math.abs(max))
  const exponentials = x.map(v => Math.exp(v - max))
  const sum = exponentials.reduce((a, b) => a + b)
  const sumMagnitude = exponentials.reduce((a, e, c) => a + e * (1 + shifted[c]), 0)
  const log = Math.abs(Math.log(sum)) + sumMagnitude / sum
  const shares = x.map((_, c) => ((c === label ? 1 - smoothing : 0) + smoothing / x.length) * (weight?.[c] ?? 1))
  const total = shares.reduce((a, b) => a + b)
  return {
    loss: shares.reduce((a, share, c) => a + share * (shifted[c] + log), 0),
    gradient: x.map((_, c) => total * (exponentials[c] / sum) * (1 + shifted[c] + log) + shares[c]),
  }
}

function crossEntropyMagnitudes({ buffers, dims: { m, n }, scalars }: Inputs): Record<string, Float64Array> {
  const [logits, labels] = [buffers.logits as Float32Array, buffers.labels as Int32Array]
  const weight = buffers.weight as Float32Array | null
  const { reduction, ignore_index: ignoreIndex, label_smoothing: smoothing } = scalars!
  const [each, loss, gradients] = [new Float64Array(m), new Float64Array(1), new Float64Array(m * n)]
  let norm = 0
  labels.forEach((label, r) => {
    if (label === ignoreIndex) return
    const row = crossEntropyRow(Float64Array.from(logits.subarray(r * n, (r + 1) * n)), label, weight, smoothing)
    each[r] = row.loss
    gradients.set(row.gradient, r * n)
    loss[0] += row.loss
    norm += weight?.[label] ?? 1
  })
  if (reduction !== 1) return { each, loss, dlogits: gradients }
  return { each, loss: loss.map(v => v / norm), dlogits: gradients.map(v => v / norm) }
}

const kernels: Readonly<Record<string, KernelSubject>> = {
  linear_fwd: { inputs: forward, magnitudes: ofAbsolutes('linear_fwd') },
  linear_relu_fwd: { inputs: forward, magnitudes: ofAbsolutes('linear_fwd') },
  linear_input_bwd: {
    inputs(draw) {
      const [m, k, n, texture] = [draw.size(), draw.size(), draw.size(), draw.texture()]
      const a = draw.chance(75) ? draw.floats(m * k).map(v => Math.max(v, 0)) : null
      const [dy, w] = [draw.floats(m * n, texture), draw.floats(n * k, texture)]
      const buffers = { dy, w, a, dx: { length: m * k } }
      return { buffers, dims: { m, k, n } }
    },
    magnitudes: ofAbsolutes('linear_input_bwd'),
  },
  linear_weight_bwd: {
    inputs(draw) {
      const [m, k, n, texture] = [draw.size(), draw.size(), draw.size(), draw.texture()]
      const db = draw.chance(75) ? { length: n } : null
      const [dy, x] = [draw.floats(m * n, texture), draw.floats(m * k, texture)]
      const buffers = { dy, x, dw: { length: n * k }, db }
      return { buffers, dims: { m, k, n } }
    },
    magnitudes: ofAbsolutes('linear_weight_bwd'),
  },
  softmax_xent_fwd_bwd: { inputs: crossEntropyInputs, magnitudes: crossEntropyMagnitudes },
}

class KernelCase implements Case {
  #truth: Truth[] | undefined

  constructor(
    private readonly kernel: string,
    private readonly inputs: Inputs,
  ) {}

  check(backend: Backend): Verdict | null {
    const { kernel, inputs } = this
    if (inputs.oursOnly && !isOurs(backend)) return null
    const { args, outputs } = argumentsOf(inputs, Float32Array)
    backend.kernels[kernel](args)
    const stated = statedTerms(kernel, inputs.dims)
    const terms = isOurs(backend) ? stated : (inputs.tfjsTerms ?? stated)
    const verdict = noVerdict()
    for (const truth of this.#inFloat64()) judge(outputs[truth.name], truth, terms, smallestOf(backend), verdict)
    return verdict
  }

  #inFloat64(): Truth[] {
    const { kernel, inputs } = this
    if (this.#truth) return this.#truth
    const magnitudes = kernels[kernel].magnitudes(inputs)
    const wanted = Object.entries(inFloat64(kernel, inputs))
    this.#truth = wanted.map(([name, want]) => ({ name, want, magnitude: magnitudes[name] }))
    return this.#truth
  }
}

export const kernelSubjects: readonly Subject[] = Object.entries(kernels).map(([name, { inputs }]) => ({
  name,
  has: backend => name in backend.kernels,
  draw: seed => new KernelCase(name, inputs(new Draw(seed))),
}))

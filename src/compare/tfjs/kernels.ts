/**
 * Our kernels in terms of TensorFlow.js, each written as its documentation would have it, and two ways to call them: as
 * the emitter that a model's forward pass goes to, and one by one with arrays. Not here: optimizers.
 */

import { AnnealError } from '../../base/errors.js'
import type { Buf, KernelCalls } from '../../emitters/emitter.js'
import { RunNow } from '../../emitters/run_now.js'
import type { Signature } from '../../native/types.js'
import type { KernelArg, KernelFunction, PreparedCall } from '../backend.js'
import type { Tf, TfTensor } from './types.js'

/** A buffer of our kernels whose values are in TensorFlow.js; outputs are empty until a kernel fills them. */
export class Box implements Buf {
  constructor(
    readonly length: number,
    public tensor: TfTensor | null = null,
    /** Whether `tensor` is the transpose of what the kernel means: weights are [in, out] there and [out, in] here. */
    public transposed = false,
  ) {}
}

/** A buffer argument: values here, or there. */
type Operand = Box | Float32Array | Int32Array
type TfKernel = (tf: Tf, ...args: never[]) => void

function inShape(tf: Tf, operand: Operand, shape: number[]): TfTensor {
  if (!(operand instanceof Box)) return tf.tensor(operand, shape)
  const tensor = operand.transposed ? tf.transpose(operand.tensor!) : operand.tensor!
  return tensor.shape.join() === shape.join() ? tensor : tensor.reshape(shape)
}

/** Weights [n, k] as TensorFlow.js's own layers keep them, [k, n]: its fused product with a bias needs them so on wasm. */
function weights(tf: Tf, w: Operand, n: number, k: number): TfTensor {
  return w instanceof Box && w.transposed ? w.tensor! : tf.transpose(inShape(tf, w, [n, k]))
}

function product(activation: 'linear' | 'relu'): TfKernel {
  return (tf: Tf, x: Operand, w: Operand, b: Operand | null, y: Box, m: number, k: number, n: number) => {
    const bias = b ? inShape(tf, b, [n]) : undefined
    y.tensor = tf.fused.matMul({
      a: inShape(tf, x, [m, k]),
      b: weights(tf, w, n, k),
      activation,
      ...(bias && { bias }),
    })
  }
}

function elementwise(op: 'add' | 'sub' | 'mul' | 'div'): TfKernel {
  return (tf: Tf, a: Operand, b: Operand, y: Box, n: number) => {
    y.tensor = tf[op](inShape(tf, a, [n]), inShape(tf, b, [n]))
  }
}

/** Each row's own factor: the weight of its label's class, 0 where the label is ignored; none where all are 1. */
function rowWeights(labels: Int32Array, weight: Float32Array | null, ignoreIndex: number): Float32Array | undefined {
  if (!weight && !labels.includes(ignoreIndex)) return undefined
  return Float32Array.from(labels, label => (label === ignoreIndex ? 0 : (weight?.[label] ?? 1)))
}

interface CrossEntropy {
  readonly oneHot: TfTensor
  readonly weights: TfTensor | undefined
  readonly smoothing: number
  readonly mean: boolean
}

/** The targets of a call. Class weights together with label smoothing mean something else in TensorFlow.js. */
function targets(
  tf: Tf,
  labels: Int32Array,
  weight: Float32Array | null,
  n: number,
  [reduction, ignoreIndex, smoothing]: number[],
): CrossEntropy {
  if (weight && smoothing > 0)
    throw new AnnealError('ERR_BACKEND', 'tfjs: expected class weights or label smoothing but received both')
  const weights = rowWeights(labels, weight, ignoreIndex)
  const inRange = labels.map(label => (label === ignoreIndex ? 0 : label))
  return {
    oneHot: tf.oneHot(tf.tensor(inRange, [labels.length], 'int32'), n),
    weights: weights && tf.tensor(weights),
    smoothing,
    mean: reduction === 1,
  }
}

/** Losses of the rows and what they are reduced to; the parts of `tf.losses.softmaxCrossEntropy`. */
function crossEntropy(tf: Tf, logits: TfTensor, { oneHot, weights, smoothing, mean }: CrossEntropy) {
  const rows = tf.losses.softmaxCrossEntropy(oneHot, logits, weights, smoothing, 0)
  const sum = tf.sum(rows)
  if (!mean) return { rows, loss: sum }
  return { rows, loss: tf.div(sum, weights ? tf.sum(weights) : rows.size) }
}

/** Forward only: the gradient is TensorFlow.js's own affair. */
function crossEntropyForward(
  tf: Tf,
  logits: Operand,
  labels: Int32Array,
  weight: Float32Array | null,
  rows: Box,
  loss: Box,
  _dlogits: Box,
  m: number,
  n: number,
  ...scalars: number[]
): void {
  const result = crossEntropy(tf, inShape(tf, logits, [m, n]), targets(tf, labels, weight, n, scalars))
  rows.tensor = result.rows
  loss.tensor = result.loss
}

function crossEntropyForwardBackward(
  tf: Tf,
  logits: Operand,
  labels: Int32Array,
  weight: Float32Array | null,
  rows: Box,
  loss: Box,
  dlogits: Box,
  m: number,
  n: number,
  ...scalars: number[]
): void {
  const wanted = targets(tf, labels, weight, n, scalars)
  const both = tf.valueAndGrad(x => {
    const result = crossEntropy(tf, x, wanted)
    rows.tensor = tf.keep(result.rows.clone())
    return result.loss
  })
  const { value, grad } = both(inShape(tf, logits, [m, n]))
  loss.tensor = value
  dlogits.tensor = grad
}

/** Rows of a table by a product, whose gradient every kind has; that of `tf.gather` is not there on wasm. */
function embedding(tf: Tf, weight: Operand, indices: Int32Array, y: Box, _m: number, k: number, n: number): void {
  const rows = tf.oneHot(tf.tensor(indices, [indices.length], 'int32'), n)
  y.tensor = tf.matMul(tf.cast(rows, 'float32'), inShape(tf, weight, [n, k]))
}

/** What a model's forward pass may call. */
const forward: Readonly<Record<string, TfKernel>> = {
  linear_fwd: product('linear'),
  relu_fwd(tf: Tf, x: Operand, y: Box, n: number) {
    y.tensor = tf.relu(x instanceof Box ? x.tensor! : inShape(tf, x, [n]))
  },
  add: elementwise('add'),
  sub: elementwise('sub'),
  mul: elementwise('mul'),
  div: elementwise('div'),
  embedding_fwd: embedding,
  softmax_xent_fwd_bwd: crossEntropyForward,
}

/** The kernels one by one. */
const single: Readonly<Record<string, TfKernel>> = {
  linear_fwd: product('linear'),
  linear_relu_fwd: product('relu'),
  linear_bwd_input(tf: Tf, dy: Operand, w: Operand, a: Operand | null, dx: Box, m: number, k: number, n: number) {
    const whole = tf.matMul(inShape(tf, dy, [m, n]), weights(tf, w, n, k), false, true)
    dx.tensor = a ? tf.mul(whole, tf.step(inShape(tf, a, [m, k]))) : whole
  },
  linear_bwd_weight(tf: Tf, dy: Operand, x: Operand, dw: Box, db: Box | null, m: number, k: number, n: number) {
    const rows = inShape(tf, dy, [m, n])
    dw.tensor = tf.matMul(inShape(tf, x, [m, k]), rows, true)
    dw.transposed = true
    if (db) db.tensor = tf.sum(rows, 0)
  },
  softmax_xent_fwd_bwd: crossEntropyForwardBackward,
}

/** Runs a model's ops on TensorFlow.js, where its own gradients see them; `variables` stand for the parameters. */
export class TfEmitter extends RunNow {
  constructor(
    private readonly tf: Tf,
    private readonly variables: ReadonlyMap<Buf, TfTensor>,
  ) {
    super({}, Float32Array)
  }

  override readonly kernels: KernelCalls = new Proxy({} as KernelCalls, {
    get:
      (_, name: string) =>
      (...args: (Buf | null | number)[]) => {
        const kernel = forward[name]
        if (!kernel) throw new AnnealError('ERR_BACKEND', `tfjs: expected kernels it has here but received ${name}`)
        kernel(this.tf, ...(args.map(arg => this.#operand(arg)) as never[]))
      },
  })

  override alloc(_dtype: string, length: number): Buf {
    return new Box(length)
  }

  #operand(arg: Buf | null | number): Buf | null | number {
    const variable = typeof arg === 'object' && arg ? this.variables.get(arg) : undefined
    return variable ? new Box(variable.size, variable, variable.shape.length === 2) : arg
  }
}

/** Runs `fn` with the right backend current. */
export type Enter = <T>(fn: () => T) => T

type Buffers = Signature['buffers']

/** An argument as the kernel takes it: float inputs there, labels and class weights here, outputs empty. */
function upload(tf: Tf, arg: KernelArg, i: number, args: readonly KernelArg[], buffers: Buffers): KernelArg | Box {
  const buffer = buffers[i]
  if (!(arg instanceof Float32Array) || buffer.name === 'weight') return arg
  if (buffer.role !== 'in') return new Box(arg.length)
  if (buffer.name !== 'w') return new Box(arg.length, tf.tensor(arg))
  const [k, n] = args.slice(-2) as number[] // the dims end in k n wherever a kernel has weights
  return new Box(
    arg.length,
    tf.tidy(() => weights(tf, arg, n, k)),
    true,
  )
}

/** Writes a result to our buffer, in our layout. */
function download(tf: Tf, { tensor, transposed }: Box, into: Float32Array): void {
  if (tensor) tf.tidy(() => into.set((transposed ? tf.transpose(tensor) : tensor).dataSync()))
}

export function prepareCall(
  tf: Tf,
  enter: Enter,
  { buffers }: Signature,
  kernel: string,
  args: readonly KernelArg[],
): PreparedCall {
  const compute = single[kernel]
  const operands = enter(() => args.map((arg, i) => upload(tf, arg, i, args, buffers)))
  const boxes = operands.flatMap((box, i) => (box instanceof Box ? [{ box, into: args[i] as Float32Array }] : []))
  const outputs = boxes.filter(({ box }) => !box.tensor)
  const inputs = boxes.flatMap(({ box }) => box.tensor ?? [])
  const drop = () => {
    for (const { box } of outputs) box.tensor?.dispose()
    for (const { box } of outputs) box.tensor = null
  }
  const run = () => {
    drop()
    tf.tidy(() => {
      compute(tf, ...(operands as never[]))
      for (const { box } of outputs) if (box.tensor) tf.keep(box.tensor)
    })
    outputs[0].box.tensor?.dataSync()
  }
  return {
    run: () => enter(run),
    read: () =>
      enter(() => {
        for (const { box, into } of outputs) download(tf, box, into)
      }),
    dispose() {
      drop()
      tf.dispose(inputs)
    },
  }
}

/** The kernels that can be called one by one. */
export const kernelNames: readonly string[] = Object.keys(single)

export function kernelFunctions(
  prepare: (kernel: string, args: KernelArg[]) => PreparedCall,
): Readonly<Record<string, KernelFunction>> {
  const entry = (name: string): KernelFunction => {
    return (...args) => {
      const call = prepare(name, args)
      call.run()
      call.read()
      call.dispose()
    }
  }
  return Object.fromEntries(kernelNames.map(name => [name, entry(name)]))
}

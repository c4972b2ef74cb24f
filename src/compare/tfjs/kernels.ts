/**
 * Our kernels in terms of TensorFlow.js, each written as its documentation would have it, and two ways to call them: as
 * the emitter that a model's forward pass goes to, and one by one with arrays. Not here: optimizers.
 */

import { AnnealError } from '../../base/errors.js'
import type { Buf, KernelCalls } from '../../emitters/emitter.js'
import { RunNow } from '../../emitters/run_now.js'
import type { KernelArguments, KernelName, Signature } from '../../native/types.js'
import type { KernelArg, KernelArgs, KernelFunction, PreparedCall } from '../backend.js'
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

/** A buffer argument: values here, or there. Outputs are boxes. */
type Operand = Box | Float32Array
type TfArguments<K extends KernelName> = KernelArguments<K, Operand, Int32Array, never>
type TfKernels = { readonly [K in KernelName]?: (tf: Tf, args: TfArguments<K>) => void }

function put(output: Operand, tensor: TfTensor): void {
  ;(output as Box).tensor = tensor
}

function inShape(tf: Tf, operand: Operand, shape: number[]): TfTensor {
  if (!(operand instanceof Box)) return tf.tensor(operand, shape)
  const tensor = operand.transposed ? tf.transpose(operand.tensor!) : operand.tensor!
  return tensor.shape.join() === shape.join() ? tensor : tensor.reshape(shape)
}

/** Weights [n, k] as TensorFlow.js's own layers keep them, [k, n]: its fused product with a bias needs them so on wasm. */
function weights(tf: Tf, w: Operand, n: number, k: number): TfTensor {
  return w instanceof Box && w.transposed ? w.tensor! : tf.transpose(inShape(tf, w, [n, k]))
}

function product(activation: 'linear' | 'relu') {
  return (tf: Tf, { x, w, b, y, m, k, n }: TfArguments<'linear_fwd'>) => {
    const bias = b ? inShape(tf, b, [n]) : undefined
    const operands = { a: inShape(tf, x, [m, k]), b: weights(tf, w, n, k), ...(bias && { bias }) }
    put(y, tf.fused.matMul({ ...operands, activation }))
  }
}

function elementwise(op: 'add' | 'sub' | 'mul' | 'div') {
  return (tf: Tf, { a, b, y, n }: TfArguments<'add'>) => {
    put(y, tf[op](inShape(tf, a, [n]), inShape(tf, b, [n])))
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
function targets(tf: Tf, args: TfArguments<'softmax_xent_fwd_bwd'>): CrossEntropy {
  const { labels, weight, n, reduction, ignore_index, label_smoothing } = args
  if (weight && label_smoothing > 0)
    throw new AnnealError('ERR_BACKEND', 'tfjs: expected class weights or label smoothing but received both')
  const weights = rowWeights(labels, (weight ?? null) as Float32Array | null, ignore_index)
  const inRange = labels.map(label => (label === ignore_index ? 0 : label))
  return {
    oneHot: tf.oneHot(tf.tensor(inRange, [labels.length], 'int32'), n),
    weights: weights && tf.tensor(weights),
    smoothing: label_smoothing,
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
function crossEntropyForward(tf: Tf, args: TfArguments<'softmax_xent_fwd_bwd'>): void {
  const { logits, each, loss, m, n } = args
  const result = crossEntropy(tf, inShape(tf, logits, [m, n]), targets(tf, args))
  put(each, result.rows)
  put(loss, result.loss)
}

function crossEntropyForwardBackward(tf: Tf, args: TfArguments<'softmax_xent_fwd_bwd'>): void {
  const { logits, each, loss, dlogits, m, n } = args
  const wanted = targets(tf, args)
  const both = tf.valueAndGrad(x => {
    const result = crossEntropy(tf, x, wanted)
    put(each, tf.keep(result.rows.clone()))
    return result.loss
  })
  const { value, grad } = both(inShape(tf, logits, [m, n]))
  put(loss, value)
  put(dlogits, grad)
}

/** Rows of a table by a product, whose gradient every kind has; that of `tf.gather` is not there on wasm. */
function embedding(tf: Tf, { weight, indices, y, k, n }: TfArguments<'embedding_fwd'>) {
  const rows = tf.oneHot(tf.tensor(indices, [indices.length], 'int32'), n)
  put(y, tf.matMul(tf.cast(rows, 'float32'), inShape(tf, weight, [n, k])))
}

/** What a model's forward pass may call. */
const forward: TfKernels = {
  linear_fwd: product('linear'),
  relu_fwd(tf, { x, y, n }) {
    put(y, tf.relu(x instanceof Box ? x.tensor! : inShape(tf, x, [n])))
  },
  add: elementwise('add'),
  sub: elementwise('sub'),
  mul: elementwise('mul'),
  div: elementwise('div'),
  embedding_fwd: embedding,
  softmax_xent_fwd_bwd: crossEntropyForward,
}

/** The kernels one by one. */
const single: TfKernels = {
  linear_fwd: product('linear'),
  linear_relu_fwd: product('relu'),
  linear_input_bwd(tf, { dy, w, a, dx, m, k, n }) {
    const whole = tf.matMul(inShape(tf, dy, [m, n]), weights(tf, w, n, k), false, true)
    put(dx, a ? tf.mul(whole, tf.step(inShape(tf, a, [m, k]))) : whole)
  },
  linear_weight_bwd(tf, { dy, x, dw, db, m, k, n }) {
    const rows = inShape(tf, dy, [m, n])
    put(dw, tf.matMul(inShape(tf, x, [m, k]), rows, true))
    ;(dw as Box).transposed = true
    if (db) put(db, tf.sum(rows, 0))
  },
  softmax_xent_fwd_bwd: crossEntropyForwardBackward,
}

type AnyTfKernel = ((tf: Tf, args: object) => void) | undefined

/** Runs a model's ops on TensorFlow.js, where its own gradients see them; `variables` stand for the parameters. */
export class TfEmitter extends RunNow {
  constructor(
    private readonly tf: Tf,
    private readonly variables: ReadonlyMap<Buf, TfTensor>,
  ) {
    super({} as KernelCalls, Float32Array)
  }

  override readonly kernels: KernelCalls = new Proxy({} as KernelCalls, {
    get: (_, name: string) => (args: Readonly<Record<string, Buf | null | number>>) => {
      const kernel = forward[name as KernelName] as AnyTfKernel
      if (!kernel) throw new AnnealError('ERR_BACKEND', `tfjs: expected kernels it has here but received ${name}`)
      const operands = Object.entries(args).map(([key, arg]) => [key, this.#operand(arg)])
      kernel(this.tf, Object.fromEntries(operands))
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

/** Arguments as a kernel takes them: float inputs there, labels and class weights here, outputs empty. */
function upload(tf: Tf, { buffers }: Signature, args: KernelArgs): Record<string, KernelArg | Box> {
  const operands: Record<string, KernelArg | Box> = { ...args }
  for (const { name, role } of buffers) {
    const arg = args[name]
    if (!(arg instanceof Float32Array) || name === 'weight') continue
    if (role !== 'in') operands[name] = new Box(arg.length)
    else if (name !== 'w') operands[name] = new Box(arg.length, tf.tensor(arg))
    else {
      const transposed = tf.tidy(() => weights(tf, arg, args.n as number, args.k as number))
      operands[name] = new Box(arg.length, transposed, true)
    }
  }
  return operands
}

/** Writes a result to our buffer, in our layout. */
function download(tf: Tf, { tensor, transposed }: Box, into: Float32Array): void {
  if (tensor) tf.tidy(() => into.set((transposed ? tf.transpose(tensor) : tensor).dataSync()))
}

export function prepareCall(
  tf: Tf,
  enter: Enter,
  signature: Signature,
  kernel: string,
  args: KernelArgs,
): PreparedCall {
  const compute = single[kernel as KernelName] as NonNullable<AnyTfKernel>
  const operands = enter(() => upload(tf, signature, args))
  const boxes = Object.entries(operands).flatMap(([name, box]) =>
    box instanceof Box ? [{ box, into: args[name] as Float32Array }] : [],
  )
  const outputs = boxes.filter(({ box }) => !box.tensor)
  const inputs = boxes.flatMap(({ box }) => box.tensor ?? [])
  const drop = () => {
    for (const { box } of outputs) box.tensor?.dispose()
    for (const { box } of outputs) box.tensor = null
  }
  const run = () => {
    drop()
    tf.tidy(() => {
      compute(tf, operands)
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
  prepare: (kernel: string, args: KernelArgs) => PreparedCall,
): Readonly<Record<string, KernelFunction>> {
  const entry = (name: string): KernelFunction => {
    return args => {
      const call = prepare(name, args)
      call.run()
      call.read()
      call.dispose()
    }
  }
  return Object.fromEntries(kernelNames.map(name => [name, entry(name)]))
}

/**
 * The eager tape: applies ops through the current emitter and remembers what backward needs. Not here: any op (ops/)
 * or arithmetic (emitters/).
 */

import { checkFunction } from '../base/check.js'
import { AnnealError, shapeError, typeError } from '../base/errors.js'
import { isThenable } from '../base/kinds.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { nativeEmitter } from '../emitters/native.js'
import { noteWrite } from '../emitters/writes.js'
import { type Application, type OpSpec, sizeOf, type Value } from '../ops/spec.js'
import { isOwn, seenIn } from '../runs/hold.js'
import { busyError, checkAttached, MAX_ELEMENTS, Tensor } from './tensor.js'

/** One op applied to tensors of which at least one wants a gradient. */
export interface Node {
  /** Position in the order of creation: backward runs from the highest down. */
  readonly id: number
  readonly spec: OpSpec
  /** Null once backward has used it up. */
  app: Application<unknown> | null
  readonly inputs: readonly Tensor[]
  /** The gradient that has arrived so far. */
  grad: Buf | null
  /** Whether nobody else has that buffer. */
  ownsGrad: boolean
}

/** Told of every application of an op and of its result: above the emitters, which see kernels only. */
export type Tracer = (spec: OpSpec, app: Application<unknown>, result: Tensor) => void

let emitter: Emitter = nativeEmitter
let tracer: Tracer | null = null
let recordingGradients = true
let created = 0

/** Runs `fn` with ops going to another emitter (the recorder of a plan, the float64 reference). */
export function withEmitter<T>(other: Emitter, fn: () => T): T {
  const before = emitter
  emitter = other
  try {
    return fn()
  } finally {
    emitter = before
  }
}

/** Runs `fn` with a tracer that is offered every op. */
export function withTracer<T>(other: Tracer, fn: () => T): T {
  const before = tracer
  tracer = other
  try {
    return fn()
  } finally {
    tracer = before
  }
}

export function currentEmitter(): Emitter {
  return emitter
}

/**
 * Runs `fn` without recording for backward; results do not require a gradient.
 *
 * ```ts
 * const logits = noGrad(() => model.forward(x))
 * ```
 * Throws TypeError where `fn` is no function or returns a promise: the switch cannot span an `await`.
 * Source: torch.no_grad.
 */
export function noGrad<T>(fn: () => T): T {
  checkFunction('noGrad', 'fn', fn)
  return withoutGradients(() => {
    const result = fn()
    if (isThenable(result)) throw typeError('noGrad', 'fn to be synchronous', result)
    return result
  })
}

/** `noGrad` for functions of ours. */
export function withoutGradients<T>(fn: () => T): T {
  const before = recordingGradients
  recordingGradients = false
  try {
    return fn()
  } finally {
    recordingGradients = before
  }
}

function operand(where: string, value: Tensor | number): Tensor {
  if (typeof value === 'number') return new Tensor([], 'float32', emitter.constant([value]))
  if (!(value instanceof Tensor)) throw typeError(where, 'operands to be Tensors', value)
  const seen = isOwn(value) ? value : seenBy(where, value)
  checkAttached(where, seen)
  return seen
}

/** What the caller sees of a tensor that a run may hold: no gradient goes there. */
function seenBy(where: string, value: Tensor): Tensor {
  const set = seenIn(value)
  if (!set) return value
  const values = set.of(value.buf)
  if (!values || (recordingGradients && value.requiresGrad)) throw busyError(where)
  return new Tensor(value.shape, value.dtype, values)
}

/** Applies `spec` to a user's arguments. */
export function apply(spec: OpSpec, args: readonly unknown[]): Tensor {
  const { operands, attrs } = spec.parse(...args)
  if (spec.writes) checkWritten(spec.name, spec.writes(attrs), operands)
  const inputs: Tensor[] = []
  const needs: boolean[] = []
  for (const given of operands) {
    const input = operand(spec.name, given as Tensor | number)
    inputs.push(input)
    needs.push(recordingGradients && input.requiresGrad)
  }
  const { shape, dtype } = spec.infer(inputs, attrs)
  if (sizeOf(shape) > MAX_ELEMENTS) {
    throw shapeError(spec.name, `a result of at most ${MAX_ELEMENTS} elements`, `shape [${shape.join(', ')}]`)
  }
  const app: Application<unknown> = { inputs, shape, dtype, attrs, needs, out: noBuffer, saved: [] }
  app.out = spec.forward(emitter, app)
  for (let i = 0; i < inputs.length; i++) if (inputs[i] !== operands[i]) app.out = ownBy(app.out, inputs[i].buf)
  if (spec.writes) for (const i of spec.writes(attrs)) noteWrite(inputs[i].buf)
  const node = spec.backward && needs.includes(true) ? makeNode(spec, app, inputs) : null
  const result = new Tensor(shape, dtype, app.out, node)
  tracer?.(spec, app, result)
  return result
}

function makeNode(spec: OpSpec, app: Application<unknown>, inputs: readonly Tensor[]): Node {
  return { id: ++created, spec, app, inputs, grad: null, ownsGrad: false }
}

function checkWritten(where: string, written: readonly number[], operands: readonly unknown[]): void {
  for (const i of written) if ((operands[i] as Tensor).busy) throw busyError(where)
}

/** A result, copied where it is a view of an operand's stand-in: published values are not the caller's to write. */
function ownBy(out: Buf, standIn: Buf): Buf {
  const values = ArrayBuffer.isView(out) ? (out as unknown as Float32Array) : null // else a recording's
  return values && values.buffer === (standIn as Float32Array).buffer ? values.slice() : out
}

const noBuffer: Buf = { length: 0 }

/** Nodes that `root` depends on, newest first. */
function history(root: Node): Node[] {
  const found = new Set<Node>([root])
  let inOrder = true
  let last = root
  for (const node of found) {
    for (const { node: below } of node.inputs) if (below) found.add(below)
    if (node.id > last.id) inOrder = false
    last = node
  }
  const nodes = [...found]
  return inOrder ? nodes : nodes.sort((a, b) => b.id - a.id)
}

function accumulate(e: Emitter, into: Buf | null, grad: Buf): Buf {
  if (!into) return grad
  const sum = e.alloc('float32', grad.length)
  e.kernels.add({ a: into, b: grad, y: sum, n: grad.length })
  return sum
}

/** Adds to a leaf's `.grad`. A buffer that others may hold (`shared`) is copied: gradients may be edited in place. */
function deliver(e: Emitter, leaf: Tensor, grad: Buf, shared: boolean): void {
  if (leaf.busy) throw busyError('backward')
  if (leaf.grad) {
    e.kernels.add({ a: leaf.grad.buf, b: grad, y: leaf.grad.buf, n: grad.length })
    return
  }
  let own = grad
  if (shared) {
    own = e.alloc('float32', grad.length)
    e.kernels.copy({ x: grad, y: own, n: grad.length })
  }
  leaf.grad = new Tensor(leaf.shape, 'float32', own)
}

function runNode(e: Emitter, node: Node, grad: Buf): void {
  const { app, spec, inputs } = node
  if (!app) {
    throw new AnnealError(
      'ERR_GRAD',
      'backward: expected a graph that was not used before; run forward again before a second backward',
    )
  }
  const value: Value = { shape: app.shape, dtype: app.dtype, buf: grad }
  const grads = spec.backward!(e, app, value)
  for (let i = 0; i < inputs.length; i++) {
    const g = grads[i]
    if (!app.needs[i] || !g) continue
    const input = inputs[i]
    if (input.node) arrive(e, input.node, g, spec.givesOwnGradients === true)
    else deliver(e, input, g, g === grad)
  }
  if (node.ownsGrad && spec.givesOwnGradients) e.free(grad)
  node.grad = null
  node.app = null
}

/** Adds a gradient to what has come to a node. */
function arrive(e: Emitter, node: Node, grad: Buf, own: boolean): void {
  node.ownsGrad = own || node.grad !== null
  node.grad = accumulate(e, node.grad, grad)
}

/** Sends `grad` back from `root` to every leaf that requires a gradient. */
export function runBackward(root: Tensor, grad: Buf): void {
  if (!root.node) {
    deliver(emitter, root, grad, true)
    return
  }
  const nodes = history(root.node)
  root.node.grad = grad
  try {
    for (const node of nodes) if (node.grad) runNode(emitter, node, node.grad)
  } finally {
    for (const node of nodes) node.grad = null
  }
}

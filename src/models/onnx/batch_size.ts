/**
 * One graph from two, which a model gave at two sizes of the batch: what follows the size becomes symbolic, any other
 * difference is refused. Not here: how a graph comes about (graph.ts).
 */

import { describe } from '../../base/errors.js'
import { NoOnnxForm } from '../../ops/onnx.js'
import type { Constant, Graph, Node, Port } from './graph.js'

/** The sizes of the batch of two runs. */
export type Sizes = readonly [number, number]

/** The refusal of what depends on the batch and does not follow it. */
function dependsOnBatch(from: string, what: string, a: unknown, b: unknown, [rows, others]: Sizes): NoOnnxForm {
  return new NoOnnxForm(`${from}: ${what} is ${describe(a)} for ${rows} rows and ${describe(b)} for ${others}`)
}

/** A size in both runs: itself where it is fixed, null for the batch's, undefined for a multiple of it. */
function common(from: string, what: string, a: number, b: number, sizes: Sizes): number | null | undefined {
  if (a === b) return a
  if (a === sizes[0] && b === sizes[1]) return null
  if (a * sizes[1] === b * sizes[0]) return undefined
  throw dependsOnBatch(from, what, a, b, sizes)
}

/** An output's form in both runs. */
export function commonPort(a: Port, b: Port, sizes: Sizes): Port {
  if (a.shape.length !== b.shape.length)
    throw dependsOnBatch(a.name, 'the number of dimensions', a.shape.length, b.shape.length, sizes)
  const shape = a.shape.map((size, d) => common(a.name, 'its shape', size as number, b.shape[d] as number, sizes))
  return { ...a, shape }
}

/** The graph of both runs. */
export function commonGraph(a: Graph, b: Graph, sizes: Sizes): Graph {
  const count = Math.max(a.nodes.length, b.nodes.length)
  for (let i = 0; i < count; i++) checkNode(a.nodes[i], b.nodes[i], sizes)
  if (a.constants.length !== b.constants.length)
    throw dependsOnBatch('model', 'the number of constants', a.constants.length, b.constants.length, sizes)
  return {
    nodes: a.nodes,
    constants: a.constants.map((constant, i) => commonConstant(constant, b.constants[i], sizes)),
  }
}

function checkNode(a: Node | undefined, b: Node | undefined, sizes: Sizes): void {
  if (!a || !b || a.opType !== b.opType) throw dependsOnBatch('model', 'an op', a?.from, b?.from, sizes)
  const [own, other] = [a, b].map(({ inputs, attributes }) => JSON.stringify([inputs, attributes]))
  if (own !== other) throw dependsOnBatch(a.from, `its ${a.opType}`, own, other, sizes)
}

function commonConstant(a: Constant, b: Constant, sizes: Sizes): Constant {
  if (a.isShape && b.isShape) return openShape(a, b, sizes)
  const forms = [a, b].map(({ name, type, shape }) => `${name}: ${type} [${shape.join(', ')}]`)
  if (forms[0] !== forms[1]) throw dependsOnBatch(a.from, 'a constant', forms[0], forms[1], sizes)
  const at = a.values === b.values ? -1 : Array.from(a.values).findIndex((x, i) => !Object.is(x, b.values[i]))
  if (at >= 0) throw dependsOnBatch(a.from, 'a constant', a.values[at], b.values[at], sizes)
  return a
}

/** A shape whose size that follows the batch is left to the runtime: one may be -1. */
function openShape(a: Constant, b: Constant, sizes: Sizes): Constant {
  const shape = Array.from(a.values, (size, d) => common(a.from, 'the shape', size, b.values[d], sizes) ?? -1)
  if (shape.filter(size => size === -1).length > 1)
    throw new NoOnnxForm(`${a.from}: several sizes of its shape [${Array.from(a.values).join(', ')}] follow the batch`)
  return { ...a, values: shape }
}

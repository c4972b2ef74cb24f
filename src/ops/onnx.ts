/**
 * What an op's ONNX form is written against: a graph that takes nodes and constants. Not here: how it is kept, traced or
 * encoded (models/onnx/).
 */

import { type Application, sizeOf, type Value } from './spec.js'

/** A value of the graph by its name. */
export type OnnxName = string

/** A tensor of the application, or a value by name. */
export type OnnxValue = Value | OnnxName

/** Types of constants. */
export type OnnxType = 'float32' | 'float64' | 'int32' | 'int64'

/** A node's attributes by type: ONNX tells 1 from 1.0. */
export interface OnnxAttributes {
  readonly ints?: Readonly<Record<string, number | readonly number[]>>
  readonly floats?: Readonly<Record<string, number>>
  readonly strings?: Readonly<Record<string, string>>
}

export interface OnnxGraph {
  /** Adds a node with one output, and returns the output's name. */
  node(opType: string, inputs: readonly OnnxValue[], attributes?: OnnxAttributes): OnnxName
  /** Numbers that every run sees; by default of shape [values.length]. */
  constant(type: OnnxType, values: readonly number[] | Float64Array, shape?: readonly number[]): OnnxName
  /** The shape of a result as a constant, in which the size of the batch stays open. */
  shape(shape: readonly number[]): OnnxName
  /** A conversion: ONNX converts nothing by itself. */
  cast(x: OnnxValue, to: OnnxType): OnnxName
}

/** An op in ONNX, opset 20: adds its nodes and returns its result. Throws NoOnnxForm where there is none. */
export type OnnxForm<A> = (graph: OnnxGraph, app: Application<A>) => OnnxValue

/** Thrown where something cannot be written in ONNX; the message is the reason. */
export class NoOnnxForm extends Error {}

/** The form of an op that has none. */
export function noOnnxForm(reason: string): () => never {
  return () => {
    throw new NoOnnxForm(reason)
  }
}

/** The form of a loss. */
export const lossHasNoForm = noOnnxForm('a loss is no part of a prediction')

/** The form of an op that is a node of the same inputs. */
export function sameNode(opType: string): OnnxForm<unknown> {
  return (graph, { inputs }) => graph.node(opType, inputs)
}

/** float32, this value throughout. */
export function constantOf(graph: OnnxGraph, value: number, shape: readonly number[]): OnnxName {
  return graph.constant('float32', new Array(sizeOf(shape)).fill(value), shape)
}

export const scalar = (graph: OnnxGraph, value: number): OnnxName => constantOf(graph, value, [])

/** Places `start` to `end` along a dimension. */
export function sliceOf(graph: OnnxGraph, x: OnnxValue, dim: number, start: number, end: number): OnnxName {
  return graph.node('Slice', [x, ...[start, end, dim].map(value => graph.constant('int64', [value]))])
}

/** A boolean: where a number is not 0. */
export function isNotZero(graph: OnnxGraph, x: Value): OnnxName {
  return graph.node('Not', [graph.node('Equal', [x, graph.constant(x.dtype, [0], [])])])
}

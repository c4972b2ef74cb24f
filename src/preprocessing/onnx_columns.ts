/** Columns in a graph of ONNX: chosen, joined, compared with categories. Not here: what any transformer makes of them. */

import { type Column, isMissing } from '../data/labels.js'
import { NoOnnxForm, type OnnxGraph, type OnnxName } from '../ops/onnx.js'
import type { OnnxColumns } from './transformer.js'

/** The columns at `indices` of x [batch, columns]. */
export function onnxSelect(graph: OnnxGraph, x: OnnxName, indices: ArrayLike<number>): OnnxName {
  return graph.node('Gather', [x, graph.constant('int64', Array.from(indices))], { ints: { axis: 1 } })
}

/** All columns side by side. */
export function onnxJoin(graph: OnnxGraph, parts: readonly OnnxColumns[]): OnnxColumns {
  if (parts.length === 0) throw new NoOnnxForm('no column is left')
  if (parts.length === 1) return parts[0]
  const values = graph.node(
    'Concat',
    parts.map(part => part.values),
    { ints: { axis: 1 } },
  )
  const width = parts.reduce((sum, part) => sum + part.width, 0)
  return { values, width, codes: parts.every(({ codes }) => codes) }
}

/** Column `c` of x as the number of its category, that of an unknown value being the count of categories: int64 [batch, 1]. */
export function onnxCodes(graph: OnnxGraph, x: OnnxName, c: number, categories: Column): OnnxName {
  const cells = Array.from(categories as ArrayLike<unknown>)
  if (!cells.every(cell => typeof cell === 'number' || isMissing(cell)))
    throw new NoOnnxForm(`categories of column ${c} that are no numbers`)
  const column = onnxSelect(graph, x, [c])
  const numbers = graph.constant(
    'float64',
    cells.map(cell => (isMissing(cell) ? Number.NaN : Number(cell))),
  )
  const equal = graph.cast(graph.node('Equal', [column, numbers]), 'float32')
  const marks = graph.constant(
    'float32',
    cells.map(cell => Number(isMissing(cell))),
  )
  const missing = graph.node('Mul', [graph.cast(graph.node('IsNaN', [column]), 'float32'), marks])
  // One place more, which is the largest where nothing is equal.
  const pads = [graph.constant('int64', [0, 0, 0, 1]), graph.constant('float32', [0.5], [])]
  const scores = graph.node('Pad', [graph.node('Max', [equal, missing]), ...pads])
  return graph.node('ArgMax', [scores], { ints: { axis: 1, keepdims: 1 } })
}

/** A table's rows by such codes: [categories + 1, width] to [batch, width]. */
export function onnxLookup(graph: OnnxGraph, codes: OnnxName, rows: readonly (readonly number[])[]): OnnxName {
  const width = rows[0].length
  const table = graph.constant('float64', rows.flat(), [rows.length, width])
  return graph.node('Reshape', [graph.node('Gather', [table, codes]), graph.constant('int64', [-1, width])])
}

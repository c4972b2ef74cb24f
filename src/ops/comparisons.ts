/** Comparisons: 1 where they hold and 0 where not. */

import type { Emitter } from '../emitters/emitter.js'
import { binary } from './elementwise.js'
import type { OnnxForm } from './onnx.js'
import type { Application } from './spec.js'

type Kernel = 'less_than' | 'at_most' | 'equal_to' | 'unequal_to'

const holds: Readonly<Record<Kernel, (a: number, b: number) => boolean>> = {
  less_than: (a, b) => a < b,
  at_most: (a, b) => a <= b,
  equal_to: (a, b) => a === b,
  unequal_to: (a, b) => a !== b,
}

/** The op by its kernel, whose operands are the other way round where it says so. */
function comparison(name: string, kernel: Kernel, opType: string, reversed = false) {
  const { backward: _, ...op } = binary(
    name,
    kernel,
    () => [],
    (a, b) => Number(holds[kernel](a, b)),
    opType,
  )
  const onnx: OnnxForm<void> = (graph, { inputs }) => {
    const found = graph.node(opType, inputs)
    return graph.cast(kernel === 'unequal_to' ? graph.node('Not', [found]) : found, 'float32')
  }
  if (!reversed) return { ...op, onnx }
  const forward = (e: Emitter, app: Application<void>) => op.forward(e, { ...app, inputs: [...app.inputs].reverse() })
  return { ...op, forward, onnx }
}

/** 1 where `a < b`, else 0, broadcast as in PyTorch, whose result is boolean; no gradient. Source: torch.lt. */
export const lt = comparison('lt', 'less_than', 'Less')

/** 1 where `a <= b`, else 0, broadcast as in PyTorch, whose result is boolean; no gradient. Source: torch.le. */
export const le = comparison('le', 'at_most', 'LessOrEqual')

/** 1 where `a > b`, else 0, broadcast as in PyTorch, whose result is boolean; no gradient. Source: torch.gt. */
export const gt = comparison('gt', 'less_than', 'Greater', true)

/** 1 where `a >= b`, else 0, broadcast as in PyTorch, whose result is boolean; no gradient. Source: torch.ge. */
export const ge = comparison('ge', 'at_most', 'GreaterOrEqual', true)

/** 1 where `a = b`, else 0, broadcast as in PyTorch, whose result is boolean; no gradient. Source: torch.eq. */
export const eq = comparison('eq', 'equal_to', 'Equal')

/** 1 where `a ≠ b`, as NaN does from everything, else 0, broadcast as in PyTorch, whose result is boolean. Source: torch.ne. */
export const ne = comparison('ne', 'unequal_to', 'Equal')

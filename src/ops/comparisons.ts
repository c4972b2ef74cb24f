/** Comparisons: 1 where they hold and 0 where not. Integers are compared as float32, which has them all up to 2^24. */

import { broadcastShape } from './broadcast.js'
import { asFloats, binary } from './elementwise.js'
import { defineOp, type Meta } from './spec.js'

type Kernel = 'less_than' | 'at_most' | 'equal_to' | 'unequal_to'

const holds: Readonly<Record<Kernel, (a: number, b: number) => boolean>> = {
  less_than: (a, b) => a < b,
  at_most: (a, b) => a <= b,
  equal_to: (a, b) => a === b,
  unequal_to: (a, b) => a !== b,
}

/** The op by its kernel, whose operands are the other way round where it says so. */
function comparison(name: string, kernel: Kernel, opType: string, reversed = false) {
  const compared = (a: number, b: number) => Number(holds[kernel](a, b))
  const { backward: _, badSamples, samples, ...op } = binary(name, kernel, () => [], compared, opType)
  return defineOp({
    ...op,
    infer: ([a, b]: readonly Meta[]) => ({ shape: broadcastShape(name, a.shape, b.shape), dtype: 'float32' }),
    forward(e, app) {
      const inputs = app.inputs.map(x => ({ shape: x.shape, dtype: 'float32' as const, buf: asFloats(e, x) }))
      return op.forward(e, { ...app, inputs: reversed ? inputs.reverse() : inputs })
    },
    onnx(graph, { inputs }) {
      const found = graph.node(
        opType,
        inputs.map(x => (x.dtype === 'int32' ? graph.cast(x, 'float32') : x)),
      )
      return graph.cast(kernel === 'unequal_to' ? graph.node('Not', [found]) : found, 'float32')
    },
    samples: () => [...samples(), { x: [{ labels: [3, 0, 2] }, 2] }, { x: [{ labels: [1, 0] }, [2, 1]] }],
    badSamples: () => badSamples().filter(({ message }) => !message.includes('float32')),
  })
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

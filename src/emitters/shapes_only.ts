/**
 * The emitter that computes nothing: buffers without values, for looking at the ops that a model applies. Reading a
 * value is Unplannable, as in a recording.
 */

import type { Emitter, KernelCalls } from './emitter.js'

const nothing = () => {}

export const shapesOnly: Emitter = {
  kernels: new Proxy({}, { get: () => nothing }) as KernelCalls,
  alloc: (_, length) => ({ length }),
  free: nothing,
  isOnes: () => false,
  constant: values => Float32Array.from(values),
  slice: (_buf, _start, length) => ({ length }),
  bernoulli: length => ({ length }),
  labels: (_, labels) => labels,
  probabilities: nothing,
}

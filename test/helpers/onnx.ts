/** Runs ONNX files in onnxruntime-node, where it can be loaded. Not a test. */

import { Tensor } from 'anneal'

type Runtime = typeof import('onnxruntime-node')

/** Null where onnxruntime-node has no binary for this machine; tests are then skipped by name. */
export const runtime: Runtime | null = await import('onnxruntime-node').then(
  module => (module as unknown as { default?: Runtime }).default ?? module,
  () => null,
)

export interface Session {
  readonly inputNames: readonly string[]
  /** The result, for inputs by name. */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Tensor>
}

export async function sessionOf(file: string): Promise<Session> {
  const { InferenceSession, Tensor: OrtTensor } = runtime!
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 3 })
  return {
    inputNames: session.inputNames,
    async run(inputs) {
      const feeds = Object.entries(inputs).map(([name, t]) => [name, new OrtTensor(t.dtype, t.data as never, t.shape)])
      const { output } = await session.run(Object.fromEntries(feeds))
      return new Tensor([...output.dims], output.type as 'float32', output.data as Float32Array)
    },
  }
}

/** The largest difference between two tensors of one form, in parts of the largest value (at least 1). */
export function distance(a: Tensor, b: Tensor): number {
  if (a.dtype !== b.dtype || String(a.shape) !== String(b.shape)) return Number.POSITIVE_INFINITY
  const [got, want] = [a, b].map(t => Float64Array.from(t.data))
  const largest = want.reduce((top, x) => Math.max(top, Math.abs(x)), 1)
  const off = want.map((x, i) => (Object.is(x, got[i]) ? 0 : Math.abs(x - got[i])))
  return off.reduce((worst, x) => (x <= worst ? worst : x), 0) / largest
}

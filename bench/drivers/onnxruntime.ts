/** ONNX Runtime in Node on the same model, exported: its session, its tensors, as many threads as asked for. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io, type nn } from 'anneal'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { timePredictions } from './predictions.js'

async function sessionOf(model: nn.Sequential, threads: number): Promise<InferenceSession> {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-onnx-'))
  const path = join(folder, 'model.onnx')
  const features = model.parameters()[0].shape[1]
  await io.exportOnnx(path, model, { inputs: { x: [null, features] } })
  try {
    return await InferenceSession.create(path, { intraOpNumThreads: threads, interOpNumThreads: 1 })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json')
await timePredictions(async (model, threads) => {
  const session = await sessionOf(model, threads)
  const [name] = session.outputNames
  return async x => {
    const outputs = await session.run({ x: new Tensor('float32', x.data as Float32Array, x.shape) })
    return outputs[name].data as Float32Array
  }
}, `onnxruntime-node ${version}`)

/** TensorFlow.js as a backend: loading, kernels, optimizers and training put together. */

import { checkOneOf } from '../../base/check.js'
import { LoopEngine } from '../../engine/loop_engine.js'
import { addon } from '../../native/addon.js'
import type { Backend, KernelArgs } from '../backend.js'
import { type Enter, kernelFunctions, kernelNames, prepareCall } from './kernels.js'
import { kinds, type LoadedTf, loadTf, type TfjsKind } from './load.js'
import { makeTrainer, makeUpdater } from './trainer.js'

export { kinds, type TfjsKind } from './load.js'

const loaded = new Map<TfjsKind, Promise<Backend>>()

/** Makes a kind the current one of TensorFlow.js around `fn`; the switch is at once, since it has started before. */
function entering({ tf, registered }: LoadedTf): Enter {
  return fn => {
    if (tf.getBackend() !== registered) void tf.setBackend(registered)
    return fn()
  }
}

function backendOf(name: TfjsKind, from: LoadedTf): Backend {
  const { tf, version, device, threads, isa } = from
  const enter = entering(from)
  const prepare = (kernel: string, args: KernelArgs) => {
    checkOneOf(`backends.tfjs('${name}')`, 'kernel', kernel, kernelNames)
    return prepareCall(tf, enter, addon.signatures[kernel], kernel, args)
  }
  const backend: Backend = {
    name,
    version,
    device,
    threads,
    isa,
    kernels: kernelFunctions(prepare),
    prepare,
    updater: optimizer => makeUpdater(tf, enter, optimizer),
    trainer: (model, training) => makeTrainer(tf, enter, model, training),
    engine: (model, options) => new LoopEngine(name, model, options, backend.trainer(model, options)),
  }
  return backend
}

/**
 * TensorFlow.js of a kind: `node-gpu`, `node`, `wasm` or `cpu`. Its packages are not part of anneal; they are taken from
 * the project that runs.
 *
 * ```ts
 * const tfjs = await backends.tfjs('node-gpu')
 * console.log(tfjs.version, tfjs.device) // tfjs-node 4.22.0, TensorFlow 2.21.0 CPU, no GPU found
 * ```
 * Where it cannot load, rejects with ERR_MISSING_PACKAGE (not installed) or ERR_BACKEND (anything else), saying why and what
 * to do. A process can hold one of `node-gpu` and `node`, which share a name in TensorFlow.js.
 */
export async function tfjs(kind: TfjsKind): Promise<Backend> {
  checkOneOf('backends.tfjs', 'kind', kind, kinds)
  const known = loaded.get(kind)
  if (known) return known
  const backend = backendOf(kind, await loadTf(kind))
  loaded.set(kind, Promise.resolve(backend))
  return backend
}

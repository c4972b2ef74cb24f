/** Our two backends, both through the eager tape: native kernels, and their float64 twins in TypeScript. */

import { readFileSync } from 'node:fs'
import { AnnealError } from '../base/errors.js'
import { nativeEmitter } from '../emitters/native.js'
import { referenceEmitter } from '../emitters/reference.js'
import type { RunNow } from '../emitters/run_now.js'
import { EagerTrainer } from '../engine/eager_trainer.js'
import { LoopEngine } from '../engine/loop_engine.js'
import { addon } from '../native/addon.js'
import { opTwins } from '../ops/twins.js'
import * as optimizers from '../optim/index.js'
import { withEmitter } from '../tensor/tape.js'
import type { Backend, KernelFunction } from './backend.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** The float64 twins of all kernels: those of the ops and those of the optimizers. */
export const twins = Object.assign(
  {},
  opTwins,
  ...Object.values(optimizers).map(optimizer => ('rule' in optimizer ? optimizer.rule.reference : {})),
) as Readonly<Record<string, KernelFunction>>

type Own = Pick<Backend, 'name' | 'threads' | 'isa' | 'kernels' | 'engine'>

function eagerBackend(emitter: RunNow, own: Own): Backend {
  const nothing = () => {}
  return {
    version,
    device: 'CPU',
    ...own,
    prepare(kernel, args) {
      const call = own.kernels[kernel]
      if (!call) throw new AnnealError('ERR_BACKEND', `${own.name}: expected a kernel but received ${kernel}`)
      return { run: () => call(...args), read: nothing, dispose: nothing }
    },
    updater: optimizer => ({
      load: nothing,
      step: () => withEmitter(emitter, () => optimizer.step()),
      read: nothing,
      dispose: nothing,
    }),
    trainer: (model, training) => new EagerTrainer(model, training, emitter),
  }
}

/** The SIMD kernels of the addon. */
export const native: Backend = eagerBackend(nativeEmitter, {
  name: 'native',
  threads: addon.cores,
  isa: addon.isa,
  kernels: addon.kernels as Readonly<Record<string, KernelFunction>>,
  engine: () => null,
})

/** A twin on float32 arrays: float64 inside, one rounding at the end. */
function rounded(name: string, twin: KernelFunction): KernelFunction {
  return (...args) => {
    const wide = args.map(arg => (arg instanceof Float32Array ? Float64Array.from(arg) : arg))
    twin(...wide)
    const { buffers } = addon.signatures[name]
    buffers.forEach(({ role }, i) => {
      if (role !== 'in' && args[i] instanceof Float32Array) (args[i] as Float32Array).set(wide[i] as Float64Array)
    })
  }
}

/** The kernels' twins in TypeScript: float64 inside, weights stored as float32. */
export const reference: Backend = eagerBackend(referenceEmitter(twins as never), {
  name: 'reference',
  threads: 1,
  isa: 'none',
  kernels: Object.fromEntries(Object.entries(twins).map(([name, twin]) => [name, rounded(name, twin)])),
  engine: (model, options) => new LoopEngine('reference', model, options, reference.trainer(model, options)),
})

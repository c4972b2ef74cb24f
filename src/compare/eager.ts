/** Our two backends, both through the eager tape: native kernels, and their float64 twins in TypeScript. */

import { AnnealError } from '../base/errors.js'
import type { Twins } from '../emitters/emitter.js'
import { nativeEmitter } from '../emitters/native.js'
import { kernelsOf, referenceEmitter } from '../emitters/reference.js'
import type { RunNow } from '../emitters/run_now.js'
import { EagerTrainer } from '../engine/eager_trainer.js'
import { LoopEngine } from '../engine/loop_engine.js'
import { addon } from '../native/addon.js'
import { opTwins } from '../ops/twins.js'
import * as optimizers from '../optim/index.js'
import { withEmitter } from '../tensor/tape.js'
import type { Backend, KernelArgs, KernelFunction } from './backend.js'

/** The float64 twins of all kernels: those of the ops and those of the optimizers. */
const allTwins: Twins = Object.assign(
  {},
  opTwins,
  ...Object.values(optimizers).map(optimizer => ('rule' in optimizer ? optimizer.rule.reference : {})),
)

/** The same as kernels. */
export const twins: Readonly<Record<string, KernelFunction>> = kernelsOf(allTwins)

type Own = Pick<Backend, 'name' | 'threads' | 'isa' | 'kernels' | 'engine'>

function eagerBackend(emitter: RunNow, own: Own): Backend {
  const nothing = () => {}
  return {
    version: addon.version,
    device: 'CPU',
    ...own,
    prepare(kernel, args) {
      const call = own.kernels[kernel]
      if (!call) throw new AnnealError('ERR_BACKEND', `${own.name}: expected a kernel but received ${kernel}`)
      return { run: () => call(args), read: nothing, dispose: nothing }
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
  kernels: addon.kernels as unknown as Readonly<Record<string, KernelFunction>>,
  engine: () => null,
})

/** A twin on float32 arrays: float64 inside, one rounding at the end. */
function rounded(name: string, twin: KernelFunction): KernelFunction {
  const outputs = addon.signatures[name].buffers.filter(({ role }) => role !== 'in')
  return args => {
    const entries = Object.entries(args)
    const wide = entries.map(([key, arg]) => [key, arg instanceof Float32Array ? Float64Array.from(arg) : arg])
    const inFloat64: KernelArgs = Object.fromEntries(wide)
    twin(inFloat64)
    for (const { name: output } of outputs) {
      const to = args[output]
      if (to instanceof Float32Array) to.set(inFloat64[output] as Float64Array)
    }
  }
}

/** The kernels' twins in TypeScript: float64 inside, weights stored as float32. */
export const reference: Backend = eagerBackend(referenceEmitter(allTwins), {
  name: 'reference',
  threads: 1,
  isa: 'none',
  kernels: Object.fromEntries(Object.entries(twins).map(([name, twin]) => [name, rounded(name, twin)])),
  engine: (model, options) => new LoopEngine('reference', model, options, reference.trainer(model, options)),
})

/** Everything that training changes, remembered bit for bit. Not here: training. */

import type { Optimizer, ParamGroup } from '../optim/index.js'
import { defaultGenerator } from '../streams/index.js'
import type { Tensor } from '../tensor/index.js'
import { generatorsOf } from './exclusive.js'
import type { FitOptions, Model } from './options.js'

function keepTensors(tensors: Iterable<Tensor>): () => void {
  const kept = [...new Set(tensors)].map(t => [t, t.data.slice(), t.grad] as const)
  return () => {
    for (const [t, values, grad] of kept) {
      t.data.set(values)
      t.grad = grad
    }
  }
}

/** State that came to be goes, and what was there is there again: the same tensors with the same values. */
function keepOptimizerState({ state }: Optimizer): () => void {
  const kept = [...state].map(([p, own]) => [p, own, { ...own.scalars }, { ...own.tensors }] as const)
  const restoreTensors = keepTensors(kept.flatMap(([, , , tensors]) => Object.values(tensors)))
  return () => {
    state.clear()
    for (const [p, own, scalars, tensors] of kept)
      state.set(p, { ...own, scalars: { ...scalars } as never, tensors: { ...tensors } })
    restoreTensors()
  }
}

function keepGroup(group: ParamGroup): () => void {
  const kept = { ...group }
  return () => {
    for (const key of Object.keys(group)) if (!(key in kept)) delete group[key]
    Object.assign(group, kept)
  }
}

/**
 * Remembers model, optimizer, gradients, modes and random streams, the default one and those of the loaders; the
 * function returned puts all of it back.
 */
export function keepState(
  model: Model,
  { optimizer, train }: Pick<FitOptions, 'optimizer'> & Partial<Pick<FitOptions, 'train'>>,
): () => void {
  const groups = optimizer.paramGroups
  const buffers = model.namedBuffers().map(([, t]) => t)
  const modes = model.modules().map(module => [module, module.training] as const)
  const streams = new Set([defaultGenerator, ...(train ? generatorsOf(model, { train }) : [])])
  const restores = [
    keepTensors([...model.parameters(), ...buffers, ...groups.flatMap(({ params }) => params)]),
    keepOptimizerState(optimizer),
    ...groups.map(keepGroup),
    ...[...streams].map(stream => stream.snapshot()),
  ]
  return () => {
    for (const restore of restores) restore()
    for (const [module, training] of modes) module.training = training
  }
}

/** Modes, gradients and everything else that training changes: kept and put back, bit for bit. Not here: training. */

import { type Steps, stretches } from '../base/drive.js'
import type { Optimizer, ParamGroup } from '../optim/index.js'
import { Reading } from '../runs/hold.js'
import { defaultGenerator } from '../streams/index.js'
import { type Tensor, writableData } from '../tensor/index.js'
import { generatorsOf } from './exclusive.js'
import type { Model, TrainingOptions } from './options.js'

/**
 * Runs `steps` in evaluation mode, on one set of weights where others train the model; at every pause, as at the end, each
 * module is in its own mode again.
 */
export function* inEvalMode<T>(model: Model, steps: () => Steps<T>): Steps<T> {
  const reading = new Reading(() => model.parametersAndBuffers())
  try {
    const swap = evalModes(model)
    return yield* stretches(steps(), stretch => {
      swap()
      try {
        return reading.run(stretch)
      } finally {
        swap()
      }
    })
  } finally {
    reading.close()
  }
}

/** Exchanges the modes that the modules have for those of evaluation, and back. */
function evalModes(model: Model): () => void {
  const modules = model.modules()
  const others = modules.map(({ training }) => training)
  const swap = () => {
    for (let i = 0; i < modules.length; i++) {
      const { training } = modules[i]
      modules[i].training = others[i]
      others[i] = training
    }
  }
  model.eval()
  swap()
  return swap
}

/** Training mode, unless the model as a whole is in it: layers that somebody put in another mode are left in it then. */
export function startTraining(model: Model): void {
  if (!model.training) model.train()
}

/** Of the optimizer's parameters, and of those that the model has besides. */
export function dropGradients(model: Model, optimizer: Optimizer): void {
  model.zeroGrad()
  optimizer.zeroGrad()
}

function keepTensors(tensors: Iterable<Tensor>): () => void {
  const kept = [...new Set(tensors)].map(t => [t, writableData('fit', t).slice(), t.grad] as const)
  return () => {
    for (const [t, values, grad] of kept) {
      writableData('fit', t).set(values)
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
  { optimizer, train }: Pick<TrainingOptions, 'optimizer'> & Partial<Pick<TrainingOptions, 'train'>>,
): () => void {
  const groups = optimizer.paramGroups
  const buffers = model.namedBuffers().map(([, t]) => t)
  const streams = new Set([defaultGenerator, ...(train ? generatorsOf(model, { train }) : [])])
  const restores = [
    keepTensors([...model.parameters(), ...buffers, ...groups.flatMap(({ params }) => params)]),
    keepOptimizerState(optimizer),
    model.keepModes(),
    ...groups.map(keepGroup),
    ...[...streams].map(stream => stream.snapshot()),
  ]
  return () => {
    for (const restore of restores) restore()
  }
}

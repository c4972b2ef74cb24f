/** `io.save`: a whole model as one safetensors file. Not here: bytes (io/), the text beside them (description.ts). */

import { checkOptions } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { saveSafetensors } from '../io/index.js'
import { safetensorsParts } from '../io/safetensors.js'
import { info } from '../native/info.js'
import { Module } from '../nn/index.js'
import { Transformer } from '../preprocessing/index.js'
import { defaultGenerator } from '../streams/index.js'
import { architectureOf } from './architecture.js'
import { KEY, writeDescription } from './description.js'

/** Options of `io.save`. */
export interface SaveOptions {
  /** What inputs go through before the model: a transformer, a ColumnTransformer or a pipeline. */
  preprocessing?: Transformer
  /** The classes' names, in the order of the model's outputs. */
  labels?: readonly string[]
  /** Anything worth knowing about this model. */
  notes?: string
}

function checkSave(model: unknown, options: SaveOptions): void {
  const where = 'save'
  if (!(model instanceof Module)) throw typeError(where, 'model to be a Module', model)
  const { preprocessing, labels, notes } = checkOptions(where, options, ['preprocessing', 'labels', 'notes'])
  if (preprocessing !== undefined && !(preprocessing instanceof Transformer))
    throw typeError(where, 'preprocessing to be a fitted transformer', preprocessing)
  if (labels !== undefined && !(Array.isArray(labels) && labels.every(label => typeof label === 'string')))
    throw typeError(where, 'labels to be an array of texts', labels)
  if (notes !== undefined && typeof notes !== 'string') throw typeError(where, 'notes to be text', notes)
}

function describeModel(model: Module, { preprocessing, labels, notes }: SaveOptions): string {
  return writeDescription({
    versions: { anneal: info.version, node: process.versions.node },
    seed: String(defaultGenerator.initialSeed()),
    className: model.constructor.name,
    architecture: architectureOf(model),
    preprocessing: preprocessing?.toJSON() ?? null,
    labels: labels ?? null,
    notes: notes ?? null,
  })
}

function contents(model: Module, options: SaveOptions) {
  checkSave(model, options)
  return [model.stateDict(), { metadata: { [KEY]: describeModel(model, options) } }] as const
}

/** The bytes of a model's file; they share the model's memory. */
export function modelParts(where: string, model: Module, options: SaveOptions = {}): Uint8Array[] {
  return safetensorsParts(where, ...contents(model, options))
}

/**
 * Writes a model with everything that predictions need: weights and buffers under PyTorch's names, its architecture where
 * it is made of the library's layers, preprocessing, the classes' names. One safetensors file, also for Python.
 *
 * ```ts
 * const model = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 3))
 * await io.save('iris.safetensors', model, { labels: ['setosa', 'versicolor', 'virginica'] })
 * ```
 * A class of your own is saved by its state; `io.load` then needs `{ model: new MyNet() }`. Layers in use several times
 * stay shared, frozen parameters frozen. Errors are those of `io.saveSafetensors`. `io.save.sync` is the same without
 * leaving the thread. Source: torch.save of a module.
 */
export const save = Object.assign(
  async (path: string, model: Module, options: SaveOptions = {}): Promise<void> =>
    saveSafetensors(path, ...contents(model, options)),
  {
    sync: (path: string, model: Module, options: SaveOptions = {}): void =>
      saveSafetensors.sync(path, ...contents(model, options)),
  },
)

/** `io.load`: a model from its file. Not here: bytes (io/), the text beside them (description.ts). */

import { checkOptions } from '../base/check.js'
import { AnnealError, describe, phrase, typeError } from '../base/errors.js'
import { loadSafetensors, type Safetensors } from '../io/index.js'
import { Module } from '../nn/index.js'
import { shapeText } from '../ops/spec.js'
import { fromJSON, Transformer, type TransformerJSON } from '../preprocessing/index.js'
import { buildModel } from './architecture.js'
import { type Description, KEY, readDescription, type Versions } from './description.js'

/** Options of `io.load`. */
export interface LoadOptions<M extends Module = Module> {
  /** A model to load into: needed where the file's is of a class of your own. */
  model?: M
}

/** What `io.load` gives. */
export interface Loaded<M extends Module = Module> {
  /** The model: the one that was given, else a new one. */
  readonly model: M
  /** What `io.save` was given, ready to transform; null without. */
  readonly preprocessing: Transformer | null
  /** The classes' names; null without. */
  readonly labels: readonly string[] | null
  /** What `io.save` was given to remember; null without. */
  readonly notes: string | null
  /** What wrote the file; null for a file of another library. */
  readonly versions: Versions | null
}

function fileError(path: string, entry: string, error: unknown): AnnealError {
  return new AnnealError('ERR_FILE_FORMAT', `${path}, ${entry}: ${(error as Error).message}`, { cause: error })
}

function descriptionIn(path: string, { metadata }: Safetensors): Description | null {
  if (!Object.hasOwn(metadata, KEY)) return null
  try {
    return readDescription(metadata[KEY])
  } catch (error) {
    throw fileError(path, 'metadata', error)
  }
}

/** The model that a file describes, with the file's tensors as its own. */
function modelIn(path: string, description: Description | null, { tensors }: Safetensors): Module {
  if (!description?.architecture) {
    const what = description ? `a model of your class ${description.className}` : 'tensors without an architecture'
    throw new AnnealError('ERR_STATE', phrase('load', '{ model } to load into', `no model: ${path} holds ${what}`))
  }
  try {
    const model = buildModel(description.architecture)
    adoptTensors(model, tensors)
    return model
  } catch (error) {
    throw fileError(path, 'architecture', error)
  }
}

/** Gives a model without values those of a file: no copy is made. */
function adoptTensors(model: Module, tensors: Safetensors['tensors']): void {
  const own = model.namedState()
  const known = new Set(own.map(([key]) => key))
  for (const key of Object.keys(tensors))
    if (!known.has(key)) throw new Error(`expected no tensor ${describe(key)} but received one`)
  for (const [key, tensor] of own) {
    const found = Object.hasOwn(tensors, key) ? tensors[key] : undefined
    const form = `${tensor.dtype} ${shapeText(tensor.shape)}`
    const received = found ? `${found.dtype} ${shapeText(found.shape)}` : 'none'
    if (received !== form) throw new Error(`expected ${describe(key)} to be ${form} but received ${received}`)
    tensor.adopt(found!)
  }
}

function finish<M extends Module>(path: string, file: Safetensors, { model }: LoadOptions<M>): Loaded<M> {
  const description = descriptionIn(path, file)
  const preprocessing = description?.preprocessing ?? null
  const loaded = {
    preprocessing: preprocessing === null ? null : transformerIn(path, preprocessing),
    labels: description?.labels ?? null,
    notes: description?.notes ?? null,
    versions: description?.versions ?? null,
  }
  if (!model) return { model: modelIn(path, description, file) as M, ...loaded }
  model.loadStateDict(file.tensors)
  return { model, ...loaded }
}

function transformerIn(path: string, json: unknown): Transformer {
  try {
    const read = fromJSON(json as TransformerJSON)
    if (read instanceof Transformer) return read
    throw new Error(`expected a transformer of inputs but received a ${read.name}`)
  } catch (error) {
    throw fileError(path, 'preprocessing', error)
  }
}

function checkLoad<M extends Module>(options: LoadOptions<M>): LoadOptions<M> {
  const { model } = checkOptions('load', options, ['model'])
  if (model !== undefined && !(model instanceof Module)) throw typeError('load', 'model to be a Module', model)
  return options
}

/**
 * Reads a model that `io.save` wrote. It draws from no generator and runs no code of the file's.
 *
 * ```ts
 * const { model, labels } = await io.load('iris.safetensors')
 * const logits = await predict(model, tensor([[5.1, 3.5, 1.4, 0.2]]))
 * ```
 * With `{ model }` the file's tensors go into that model, from a file of PyTorch's as well. Throws ERR_FILE_FORMAT, with
 * the file, the entry and the offence, for every file that is not sound; ERR_STATE where `{ model }` is needed or does
 * not have the file's keys, ERR_SHAPE where its shapes differ. `io.load.sync` is the same without leaving the thread.
 * Source: torch.load.
 */
export const load = Object.assign(
  async <M extends Module = Module>(path: string, options: LoadOptions<M> = {}): Promise<Loaded<M>> => {
    checkLoad(options)
    return finish(path, await loadSafetensors(path), options)
  },
  {
    sync: <M extends Module = Module>(path: string, options: LoadOptions<M> = {}): Loaded<M> => {
      checkLoad(options)
      return finish(path, loadSafetensors.sync(path), options)
    },
  },
)

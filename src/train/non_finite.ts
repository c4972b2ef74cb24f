/** Where numbers that are not finite come from: the data, or the first layer that gives one. Not here: noticing them. */

import { columnsOf, partsOf } from '../data/columns.js'
import { batchOf } from '../data/dataset.js'
import { type DataLoader, StreamTable } from '../data/index.js'
import type { Model } from '../engine/options.js'
import type { StateDict } from '../nn/index.js'
import { noGrad, tensor } from '../tensor/index.js'
import { namedModules, WatchedLayers } from './watched_layers.js'

/** The first such number of a data set's columns, by its row in the data set. */
function inData(loader: DataLoader): string | null {
  const columns = columnsOf(loader.dataset)
  if (!columns) return null
  const { tensors, indices } = columns
  for (const [i, t] of tensors.entries()) {
    const width = t.size / t.shape[0]
    const rows = indices ?? Int32Array.from({ length: t.shape[0] }, (_, row) => row)
    for (const [sample, row] of rows.entries()) {
      const column = t.data.subarray(row * width, (row + 1) * width).findIndex(value => !Number.isFinite(value))
      if (column < 0) continue
      const what =
        tensors.length > 1 && i === tensors.length - 1
          ? 'the target'
          : tensors.length > 2
            ? `input ${i + 1}`
            : 'the input'
      return `row ${sample}, column ${column} of ${what} is ${t.data[row * width + column]}`
    }
  }
  return null
}

/** The first layer that gives one for any rows, with the weights as they are. */
function inLayers(model: Model, { dataset, batchSize, weighted }: DataLoader): string | null {
  const names = namedModules(model)
  let first: string | null = null
  const watched = new WatchedLayers((module, y) => {
    const odd = first === null ? y.data.find(value => !Number.isFinite(value)) : undefined
    if (odd !== undefined)
      first = `${names.get(module) || 'the model'} (${module.constructor.name}) is the first layer to give ${odd}`
  })
  const restore = model.keepModes()
  model.eval()
  try {
    for (let at = 0; at < dataset.length && first === null; at += batchSize) {
      const rows = Int32Array.from({ length: Math.min(batchSize, dataset.length - at) }, (_, i) => at + i)
      const { inputs } = partsOf(batchOf(dataset, rows), weighted)
      watched.during(model, () => noGrad(() => model.forward(...inputs)))
    }
  } finally {
    restore()
  }
  return first
}

/** A model's state that nothing changes any more. */
export function copyState(model: Model): StateDict {
  return Object.fromEntries(
    Object.entries(model.stateDict()).map(([key, t]) => [key, tensor(t.data, { shape: t.shape, dtype: t.dtype })]),
  )
}

/** What is known of the source of a loss that is not finite, as the end of a message. `before`: the epoch's first weights. */
export function sourceOfNonFinite(model: Model, loader: DataLoader, before: StateDict): string {
  if (loader.dataset instanceof StreamTable) return ''
  const inputs = inData(loader)
  if (inputs !== null) return `: ${inputs}`
  const after = copyState(model)
  model.loadStateDict(before)
  const layer = inLayers(model, loader)
  model.loadStateDict(after)
  if (layer !== null) return `: ${layer}, with the weights of the epoch's start`
  const later = inLayers(model, loader)
  return later === null ? '' : `: ${later}, with the weights that the epoch left`
}

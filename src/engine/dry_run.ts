/**
 * A dry run of the last batch of an epoch before the first step, where the eager engine would otherwise find out in the
 * middle that it is too small for a layer, as one row is for BatchNorm1d. (A plan finds out while it records.)
 */

import { partsOf } from '../data/columns.js'
import { batchOf } from '../data/dataset.js'
import { type DataLoader, StreamTable } from '../data/index.js'
import type { Loss } from '../nn/index.js'
import { defaultGenerator } from '../streams/index.js'
import { noGrad, writableData } from '../tensor/index.js'
import type { Model } from './options.js'
import { keepAll } from './side_effects.js'

function lastBatchRows({ samples, batchSize, dropLast }: DataLoader): number {
  return dropLast ? batchSize : samples % batchSize || batchSize
}

/** Throws what training on the last batch would throw; leaves model and generator as they were. */
export function dryRunLastBatch(model: Model, loss: Loss, loader: DataLoader): void {
  if (loader.dataset instanceof StreamTable) return // its last rows come last
  const rows = lastBatchRows(loader)
  if (model.modules().every(({ training, smallestBatch }) => !training || smallestBatch <= rows)) return
  const kept = keepAll([model, loss]).map(kept => () => kept.restore())
  const restores = [...kept, keepBuffers(model), defaultGenerator.snapshot()]
  const samples = batchOf(
    loader.dataset,
    new Int32Array(rows).map((_, i) => i),
  )
  try {
    noGrad(() => model.forward(...partsOf(samples, loader.weighted).inputs))
  } finally {
    for (const restore of restores) restore()
  }
}

function keepBuffers(model: Model): () => void {
  const buffers = model.namedBuffers().map(([, t]) => ({ t, before: t.values.slice() }))
  return () => {
    for (const { t, before } of buffers) writableData('fit', t).set(before)
  }
}

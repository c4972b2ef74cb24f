/**
 * A dry run of the last batch of an epoch before the first step, where the eager engine would otherwise find out in the
 * middle that it is too small for a layer, as one row is for BatchNorm1d. (A plan finds out while it records.)
 */

import { partsOf } from '../data/columns.js'
import { batchOf } from '../data/dataset.js'
import { type DataLoader, StreamTable } from '../data/index.js'
import { defaultGenerator } from '../streams/index.js'
import { noGrad } from '../tensor/index.js'
import type { Model } from './options.js'

function lastBatchRows({ samples, batchSize, dropLast }: DataLoader): number {
  return dropLast ? batchSize : samples % batchSize || batchSize
}

/** Throws what training on the last batch would throw; leaves model and generator as they were. */
export function dryRunLastBatch(model: Model, loader: DataLoader): void {
  if (loader.dataset instanceof StreamTable) return // its last rows come last
  const rows = lastBatchRows(loader)
  if (model.modules().every(({ smallestBatch }) => smallestBatch <= rows)) return
  const restore = defaultGenerator.isFree ? defaultGenerator.snapshot() : undefined
  const buffers = model.namedBuffers().map(([, { data }]) => ({ data, before: data.slice() }))
  model.train()
  try {
    noGrad(() =>
      model.forward(
        ...partsOf(
          batchOf(
            loader.dataset,
            Int32Array.from({ length: rows }, (_, i) => i),
          ),
          loader.weighted,
        ).inputs,
      ),
    )
  } finally {
    for (const { data, before } of buffers) data.set(before)
    restore?.()
  }
}

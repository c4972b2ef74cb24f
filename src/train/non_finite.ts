/** Where numbers that are not finite come from, if it is the data. Not here: where training makes them (engine/finite.ts). */

import { columnsOf } from '../data/columns.js'
import { type DataLoader, StreamTable } from '../data/index.js'
import { rowView } from '../data/rows.js'

/** The first such number of a data set's columns, by its row in the data set. */
export function nonFiniteIn(loader: DataLoader): string | null {
  if (loader.dataset instanceof StreamTable) return null
  const columns = columnsOf(loader.dataset)
  if (!columns) return null
  const { tensors, indices } = columns
  for (const [i, t] of tensors.entries()) {
    const rows = indices ?? Int32Array.from({ length: t.shape[0] }, (_, row) => row)
    for (const [sample, row] of rows.entries()) {
      const { values } = rowView('fit', t, row)
      const column = values.findIndex(value => !Number.isFinite(value))
      if (column < 0) continue
      const what =
        tensors.length > 1 && i === tensors.length - 1
          ? 'the target'
          : tensors.length > 2
            ? `input ${i + 1}`
            : 'the input'
      return `row ${sample}, column ${column} of ${what} is ${values[column]}`
    }
  }
  return null
}

/** Datasets: tensors with equal numbers of rows, and parts of datasets. Not here: batches (data_loader.ts). */

import { checkInt } from '../base/check.js'
import { rangeError, shapeError, typeError } from '../base/errors.js'
import { isNumberArray, isThenable, typedArrayName } from '../base/kinds.js'
import { Tensor } from '../tensor/tensor.js'
import { type Columns, columnsOf } from './columns.js'
import { gatherRows, rowsOf, rowView, stack } from './rows.js'

/**
 * What a DataLoader can draw from. Implement `length` and `get`; `batch` is for those who can do it faster, `columns` for
 * those whose samples are rows of tensors: `fit` then trains on its plan, without asking for batches.
 */
export interface Dataset {
  /** Number of samples. */
  readonly length: number
  /** Sample `i` as its tensors, the target last, for example [x, y]; same shapes and dtypes for all. */
  get(i: number): Tensor[]
  /** The samples at `indices` stacked: for each tensor of a sample one of shape [indices.length, …]. */
  batch?(indices: Int32Array): Tensor[]
  /** All samples as rows of tensors; null where they are none. */
  columns?(): Columns | null
}

export function checkDataset(where: string, dataset: unknown): Dataset {
  const { length, get } = (dataset ?? {}) as Dataset
  if (typeof get !== 'function') throw typeError(where, 'dataset to be an object with length and get(i)', dataset)
  checkInt(where, 'dataset.length', length, { min: 0, max: 2 ** 31 - 1 })
  return dataset as Dataset
}

/** A batch of any dataset: its own way if it has one, else samples stacked. */
export function batchOf(dataset: Dataset, indices: Int32Array): Tensor[] {
  if (dataset.batch) return checkTensors('a batch', dataset.batch(indices))
  const samples = Array.from(indices, i => checkTensors('a sample', dataset.get(i)))
  const odd = samples.findIndex(({ length }) => length !== samples[0].length)
  if (odd > 0)
    throw shapeError('DataLoader', `samples of ${samples[0].length} Tensors`, `one of ${samples[odd].length}`)
  return samples[0].map((_, k) =>
    stack(
      'DataLoader',
      samples.map(sample => sample[k]),
    ),
  )
}

/** What a data set of the user's gave. */
function checkTensors(what: string, given: unknown): Tensor[] {
  const expected = `${what} to be an array of Tensors`
  if (isThenable(given)) throw typeError('DataLoader', `${expected}, and no promise`, given)
  if (!Array.isArray(given) || given.length === 0) throw typeError('DataLoader', expected, given)
  for (let i = 0; i < given.length; i++)
    if (!(given[i] instanceof Tensor)) throw typeError('DataLoader', expected, given)
  return given
}

/** Rows of a batch: an Int32Array of numbers below `below`. */
function checkRows(where: string, indices: unknown, below: number): Int32Array {
  if (typedArrayName(indices) !== 'Int32Array') throw typeError(where, 'indices to be an Int32Array', indices)
  const rows = indices as Int32Array
  for (let i = 0; i < rows.length; i++) {
    if (rows[i] < 0 || rows[i] >= below) throw rangeError(where, `indices[${i}] to be in [0, ${below - 1}]`, rows[i])
  }
  return rows
}

/**
 * Tensors side by side: sample i is row i of each. Of several, the last is the target and those before it are inputs.
 *
 * ```ts
 * const train = new data.TensorDataset(X, y) // X: [n, …], y: [n]
 * const [x0, y0] = train.get(0)
 * new data.TensorDataset(numbers, categories, y) // trains model.forward(numbers, categories)
 * ```
 * Throws TypeError for what is no tensor, ERR_SHAPE where the first dimensions differ. Source: torch.utils.data.TensorDataset.
 */
export class TensorDataset implements Dataset {
  readonly tensors: readonly Tensor[]
  readonly length: number

  constructor(...tensors: Tensor[]) {
    const counts = tensors.map((t, i) => rowsOf('TensorDataset', `tensors[${i}]`, t))
    if (counts.length === 0) throw typeError('TensorDataset', 'at least one Tensor', undefined)
    const odd = counts.findIndex(count => count !== counts[0])
    if (odd > 0)
      throw shapeError('TensorDataset', `tensors[${odd}] to have ${counts[0]} rows as tensors[0]`, `${counts[odd]}`)
    this.tensors = tensors
    this.length = counts[0]
  }

  /** Row `i` of each tensor, sharing its memory. */
  get(i: number): Tensor[] {
    checkInt('TensorDataset.get', 'i', i, { min: 0, below: this.length })
    return this.tensors.map(t => rowView('TensorDataset', t, i))
  }

  /** The rows at `indices` of each tensor, copied. */
  batch(indices: Int32Array): Tensor[] {
    const rows = checkRows('TensorDataset.batch', indices, this.length)
    return this.tensors.map(t => gatherRows('TensorDataset', t, rows))
  }

  columns(): Columns {
    return { tensors: this.tensors, indices: null }
  }
}

/**
 * The samples of `dataset` at `indices`, in their order.
 *
 * ```ts
 * const even = new data.Subset(dataset, [0, 2, 4])
 * ```
 * Throws RangeError for an index outside the dataset. Source: torch.utils.data.Subset.
 */
export class Subset implements Dataset {
  readonly dataset: Dataset
  readonly indices: Int32Array
  readonly length: number

  constructor(dataset: Dataset, indices: ArrayLike<number>) {
    this.dataset = checkDataset('Subset', dataset)
    const below = dataset.length
    if (!Array.isArray(indices) && !isNumberArray(indices)) throw typeError('Subset', 'indices to be an array', indices)
    this.indices = Int32Array.from(indices, (index, i) => checkInt('Subset', `indices[${i}]`, index, { min: 0, below }))
    this.length = this.indices.length
  }

  get(i: number): Tensor[] {
    return this.dataset.get(this.indices[checkInt('Subset.get', 'i', i, { min: 0, below: this.length })])
  }

  batch(indices: Int32Array): Tensor[] {
    return batchOf(
      this.dataset,
      checkRows('Subset.batch', indices, this.length).map(i => this.indices[i]),
    )
  }

  columns(): Columns | null {
    const columns = columnsOf(this.dataset)
    if (!columns) return null
    const { tensors, indices } = columns
    return { tensors, indices: indices ? this.indices.map(i => indices[i]) : this.indices }
  }
}

/** Datasets: tensors with equal numbers of rows, and parts of datasets. Not here: batches (data_loader.ts). */

import { checkInt, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { isDetached, isNumberArray, isThenable, typedArrayName } from '../base/kinds.js'
import { shapeText } from '../ops/spec.js'
import { Tensor } from '../tensor/tensor.js'
import { agreesWithGet, allTensors, type Columns, columnsOf, giveTheSame } from './columns.js'
import { type DataColumn, gatherRows, rowsOf, rowView, stack } from './rows.js'

/**
 * What a DataLoader can draw from. Implement `length` and `get`; `batch` is for those who can do it faster, `columns` for
 * those whose samples are rows of tensors: `fit` then trains on its plan, without asking for batches.
 */
export interface Dataset {
  /** Number of samples. */
  readonly length: number
  /** Sample `i` as its tensors, the target last, for example [x, y]; same shapes and dtypes for all. A weight comes after it. */
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

/** A batch of any dataset: its own way, if it has one that no `get` of a class or an object below replaces, else samples stacked. */
export function batchOf(dataset: Dataset, indices: Int32Array): Tensor[] {
  if (dataset.batch && agreesWithGet(dataset, 'batch')) return checkTensors('a batch', dataset.batch(indices))
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

/** Options of `TensorDataset`. */
export interface TensorDatasetOptions {
  /** How much each sample counts in the loss: n numbers, none negative. Default: all alike. */
  sampleWeight?: Tensor | ArrayLike<number>
}

function checkWeights(given: Tensor | ArrayLike<number>): Tensor {
  const where = 'TensorDataset'
  if (!(given instanceof Tensor) && !Array.isArray(given) && !isNumberArray(given))
    throw typeError(where, 'sampleWeight to be a Tensor or an array of numbers', given)
  const values = Float32Array.from(given instanceof Tensor ? given.values : given)
  const weights = new Tensor(given instanceof Tensor ? given.shape : [values.length], 'float32', values)
  if (weights.shape.length !== 1) throw shapeError(where, 'sampleWeight to have shape [n]', shapeText(weights.shape))
  const odd = values.findIndex(w => !(w >= 0 && w < Infinity))
  if (odd >= 0) {
    const code = values[odd] < 0 ? 'ERR_ARG_VALUE' : 'ERR_NONFINITE'
    throw new AnnealError(code, phrase(where, `sampleWeight[${odd}] to be a finite number at least 0`, values[odd]))
  }
  return weights
}

/** Tensors and columns, and options after them if there are some. */
type TensorDatasetArguments = readonly DataColumn[] | readonly [...DataColumn[], TensorDatasetOptions]

function splitOptions(given: TensorDatasetArguments): {
  tensors: readonly DataColumn[]
  options: TensorDatasetOptions
} {
  const last = given[given.length - 1]
  const isPlain = typeof last === 'object' && last !== null && Object.getPrototypeOf(last) === Object.prototype
  if (!isPlain) return { tensors: given as readonly DataColumn[], options: {} }
  const options = checkOptions('TensorDataset', last as TensorDatasetOptions, ['sampleWeight'])
  return { tensors: given.slice(0, -1) as readonly DataColumn[], options }
}

/**
 * Tensors and columns (`data.column`) side by side: sample i is row i of each. Of several, the last is the target and those
 * before it are inputs.
 *
 * ```ts
 * const train = new data.TensorDataset(X, y) // X: [n, …], y: [n]
 * const [x0, y0] = train.get(0)
 * new data.TensorDataset(numbers, categories, y) // trains model.forward(numbers, categories)
 * const sampleWeight = Float32Array.from(y.data, label => (label === 1 ? 2 : 1)) // the losses of class 1 count twice
 * new data.TensorDataset(X, y, { sampleWeight })
 * ```
 * With weights w a sample's last tensor is its weight, and losses l are `Σ w·l / Σ w` of a batch (`Σ w·l` for the reduction
 * `sum`), class weights multiplied in. A batch whose weights are all 0 makes no update. Accuracies and metrics do not weigh.
 * Throws TypeError for what is no tensor, ERR_SHAPE where the first dimensions differ, ERR_NONFINITE or ERR_ARG_VALUE for
 * weights that are no weights. Source: torch.utils.data.TensorDataset; sample_weight of scikit-learn.
 */
export class TensorDataset<C extends readonly DataColumn[] = readonly Tensor[]> implements Dataset {
  readonly tensors: C
  /** Of each sample, [n]; null where all count alike. */
  readonly sampleWeight: Tensor | null
  readonly length: number

  constructor(...tensors: C)
  constructor(...given: [...C, TensorDatasetOptions])
  constructor(...given: TensorDatasetArguments) {
    const { tensors, options } = splitOptions(given)
    const counts = tensors.map((t, i) => rowsOf('TensorDataset', `tensors[${i}]`, t))
    if (counts.length === 0) throw typeError('TensorDataset', 'at least one Tensor', undefined)
    const odd = counts.findIndex(count => count !== counts[0])
    if (odd > 0)
      throw shapeError('TensorDataset', `tensors[${odd}] to have ${counts[0]} rows as tensors[0]`, `${counts[odd]}`)
    this.tensors = tensors as unknown as C
    this.sampleWeight = options.sampleWeight === undefined ? null : checkWeights(options.sampleWeight)
    this.length = counts[0]
    const weights = this.sampleWeight?.size ?? this.length
    if (weights !== this.length) throw shapeError('TensorDataset', `${this.length} sample weights`, `${weights}`)
  }

  /** Row `i` of each tensor, sharing its memory; of a column widened. */
  get(i: number): Tensor[] {
    checkInt('TensorDataset.get', 'i', i, { min: 0, below: this.length })
    return allTensors(this.columns()).map(t => rowView('TensorDataset', t, i))
  }

  /** The rows at `indices` of each tensor, copied. */
  batch(indices: Int32Array): Tensor[] {
    const rows = checkRows('TensorDataset.batch', indices, this.length)
    return allTensors(this.columns()).map(t => gatherRows('TensorDataset', t, rows))
  }

  columns(): Columns<C> {
    return { tensors: this.tensors, weights: this.sampleWeight, indices: null }
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
    if (!Array.isArray(indices) && (!isNumberArray(indices) || isDetached(indices)))
      throw typeError('Subset', 'indices to be an array', indices)
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
    const { tensors, weights, indices } = columns
    return { tensors, weights, indices: indices ? this.indices.map(i => indices[i]) : this.indices }
  }
}

giveTheSame(TensorDataset)
giveTheSame(Subset)

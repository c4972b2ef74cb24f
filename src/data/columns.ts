/** Data sets as columns: what lets an engine keep them in its own memory. Not here: batches (data_loader.ts). */

import { AnnealError, phrase, typeError } from '../base/errors.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Dataset } from './dataset.js'
import { type DataColumn, rowsOf } from './rows.js'

/** Sample `i` is row `indices[i]` of each tensor; row `i` where `indices` is null. */
export interface Columns<C extends readonly DataColumn[] = readonly DataColumn[]> {
  /** Inputs first, the target last; a row per sample. Those of `data.column` are among them. */
  readonly tensors: C
  /** The weight of every row, [rows]: the last tensor of a sample, after its target. */
  readonly weights?: Tensor | null
  /** The row of every sample; null: sample i is row i. */
  readonly indices: Int32Array | null
}

/** How far up the prototypes a property is found; Infinity where it is not. */
function depthOf(object: object, name: string): number {
  let depth = 0
  for (let at: object | null = object; at; at = Object.getPrototypeOf(at), depth++) {
    if (Object.hasOwn(at, name)) return depth
  }
  return Infinity
}

type Ways = Readonly<Pick<Dataset, 'get' | 'batch' | 'columns'>>

/** The methods of our classes as they were made, by each of them: one that replaces another is somebody's own. */
const known = new WeakMap<object, Ways>()

/** Tells that these methods of a class of ours give the same samples. */
export function giveTheSame({ prototype: { get, batch, columns } }: { prototype: Ways }): void {
  const ways = { get, batch, columns }
  for (const way of [get, batch, columns]) if (way) known.set(way, ways)
}

/** Whether `way` gives the samples that `get` does: it is as near to the object, or both are of one class of ours. */
export function agreesWithGet(dataset: Dataset, way: 'batch' | 'columns'): boolean {
  const { get, [way]: method } = dataset
  if (typeof method !== 'function') return false
  const ways = known.get(method)
  return ways ? get === ways.get : depthOf(dataset, way) <= depthOf(dataset, 'get')
}

/**
 * The columns that a data set offers; null where it offers none, or where it has a `get` or `batch` of its own, which they
 * would pass over. Throws TypeError or AnnealError for columns that do not hold its samples.
 */
export function columnsOf(dataset: Dataset): Columns | null {
  if (!agreesWithGet(dataset, 'columns')) return null
  const { batch, columns: method } = dataset
  const ways = known.get(method!)
  if (batch && (ways ? batch !== ways.batch : depthOf(dataset, 'batch') < depthOf(dataset, 'columns'))) return null
  const columns = dataset.columns!()
  if (columns) checkColumns(columns, dataset.length)
  return columns
}

/** Whether the last tensor of a sample is its weight. */
export function isWeighted(dataset: Dataset): boolean {
  return !!dataset.columns?.()?.weights
}

/** The tensors that samples are rows of, weights last. */
export function allTensors({ tensors, weights }: Columns): readonly DataColumn[] {
  return weights ? [...tensors, weights] : tensors
}

function checkColumns(columns: Columns, length: number): void {
  const where = 'Dataset.columns'
  const { tensors, indices } = columns
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw typeError(where, 'tensors to be an array of Tensors', tensors)
  const counts = allTensors(columns).map((t, i) => rowsOf(where, i < tensors.length ? `tensors[${i}]` : 'weights', t))
  const odd = counts.find(count => count !== counts[0])
  if (odd !== undefined) throw new AnnealError('ERR_SHAPE', phrase(where, `tensors of ${counts[0]} rows`, `${odd}`))
  if (indices !== null && !(indices instanceof Int32Array))
    throw typeError(where, 'indices to be an Int32Array or null', indices)
  const samples = indices?.length ?? counts[0]
  if (samples !== length) throw new AnnealError('ERR_SHAPE', phrase(where, `${length} samples`, `${samples}`))
  const outside = indices?.find(i => i < 0 || i >= counts[0])
  if (outside !== undefined)
    throw new AnnealError('ERR_SHAPE', phrase(where, `indices to be in [0, ${counts[0] - 1}]`, outside))
}

/** A sample's, or a batch's, tensors by what they are for; a data set's columns likewise. */
export interface SampleParts<T extends DataColumn = Tensor> {
  readonly inputs: readonly T[]
  readonly target: T | undefined
  /** Of each sample, where the data set has weights. */
  readonly weight?: T
}

/** The last tensor is the target, all before it are inputs; one alone is an input. After them comes the weight, if there is one. */
export function partsOf<T extends DataColumn>(tensors: readonly T[], weighted = false): SampleParts<T> {
  if (weighted) return { ...partsOf(tensors.slice(0, -1)), weight: tensors[tensors.length - 1] }
  if (tensors.length === 1) return { inputs: tensors, target: undefined }
  return { inputs: tensors.slice(0, -1), target: tensors[tensors.length - 1] }
}

/**
 * Data sets in native memory: read where they lie, if that is safe (native/memory.ts), else copied once per fit, and
 * compared where somebody may have edited them, in slices, so that the event loop goes on. Not off this thread: no pointer
 * into memory of V8's is kept across calls.
 */

import { type Steps, toEventLoop } from '../base/drive.js'
import { allTensors, type Columns, columnsOf } from '../data/columns.js'
import { makesOtherBatches } from '../data/data_loader.js'
import { type DataLoader, StreamTable } from '../data/index.js'
import { checkRowsAttached, type DataColumn, isNarrow } from '../data/rows.js'
import { checkedLabels, checkProbabilities } from '../emitters/run_now.js'
import { Unplannable } from '../emitters/unplannable.js'
import type { StoredArray } from '../native/types.js'
import { sizeOf } from '../ops/spec.js'
import type { CompiledPlan } from '../plan/compiled.js'
import { bufferEntries, type Column, type ColumnCheck, type DataForm, labelsIn, type Slot } from '../plan/program.js'
import { holdsSlices, writeSlices } from '../plan/slices.js'
import type { RecordedStep } from './record_step.js'

/** The columns behind a loader; throws Unplannable where there are none, or where it makes batches of its own. */
export function columnsBehind(loader: DataLoader): PassColumns {
  if (makesOtherBatches(loader)) throw new Unplannable('the loader makes batches of its own')
  if (loader.dataset instanceof StreamTable) throw new Unplannable('the data set is read in parts while it trains')
  const columns = columnsOf(loader.dataset)
  if (!columns) throw new Unplannable('the data set offers no columns')
  checkWeightless(loader, columns)
  return { tensors: allTensors(columns), weighted: !!columns.weights, indices: columns.indices }
}

/** Refuses weights of which a batch may have none but zeros: it would make no update, and a plan's every step makes one. */
function checkWeightless({ samples, batchSize, dropLast, sampler }: DataLoader, { weights, indices }: Columns): void {
  if (!weights) return
  const zeros = rowsAt(weights, indices ?? Int32Array.from(weights.values.keys())).filter(w => w === 0).length
  const smallest = dropLast ? batchSize : samples % batchSize || batchSize
  // A sampler may draw a row many times.
  if (zeros >= smallest || (sampler && zeros > 0)) throw new Unplannable('a batch may weigh nothing')
}

/** Columns as a plan's steps read them: what a loader gives, in its order. */
export interface PassColumns {
  readonly tensors: readonly DataColumn[]
  /** Whether the last one is weights. */
  readonly weighted?: boolean
  readonly indices: Int32Array | null
  /** Of a stream, where the rows of an order will lie in the columns. */
  placesOf?(order: Int32Array): Int32Array
  /** Of a stream, the values of the part that is in its place. */
  present?(): readonly DataColumn[]
}

/** An epoch's order as rows of the columns. */
export function rowsOf({ indices, placesOf }: PassColumns, order: Int32Array): Int32Array {
  if (placesOf) return placesOf(order)
  return indices ? order.map(i => indices[i]) : order
}

/** Refuses labels that the recorded losses cannot use; rows are numbered as in the data set. */
export function checkLabels({ tensors, indices }: Columns, checks: readonly ColumnCheck[]): void {
  for (const check of checks) {
    const column = tensors[check.column]
    const values = indices ? rowsAt(column, indices) : column.values
    if ('classes' in check)
      checkedLabels(check.where, labelsIn(values, check), check.classes, check.ignoreIndex, check.as)
    else checkProbabilities(check.where, check.name, values)
  }
}

function rowsAt({ values: data, shape }: DataColumn, rows: Int32Array): Float64Array {
  const width = sizeOf(shape.slice(1))
  return Float64Array.from(
    { length: rows.length * width },
    (_, i) => data[rows[Math.floor(i / width)] * width + (i % width)],
  )
}

/** The values of a column as steps read them: a narrow one's own, unless they want integers. */
function valuesOf(t: DataColumn, dtype: 'float32' | 'int32'): StoredArray {
  checkRowsAttached('fit', t, 'a column of the data set')
  if (isNarrow(t)) return dtype === 'float32' ? t.data : Int32Array.from(t.values)
  return t.dtype === dtype ? t.values : Int32Array.from(t.values)
}

/** The form of a data set: the columns that recorded steps gather from. */
export function formOf({ tensors }: Columns, steps: readonly RecordedStep[]): DataForm {
  const found = new Map<string, Column>()
  const note = (slot: Slot) => {
    if (slot.origin.kind !== 'batch') return
    const { column, width, narrow } = slot.origin
    const dtype = slot.dtype as 'float32' | 'int32'
    found.set(`${column} ${dtype}`, { column, dtype, width, narrow })
  }
  for (const { calls } of steps) for (const call of calls) for (const [, slot] of bufferEntries(call)) note(slot)
  return { rows: tensors[0].shape[0], columns: [...found.values()] }
}

/** Columns that must stay as they are while steps read them: what was checked is trusted. */
export function checkedIn(checks: readonly ColumnCheck[]): ReadonlySet<number> {
  return new Set(checks.map(({ column }) => column))
}

/** Has steps read these values, as they are now; those of the columns `fixed` from copies. */
export function* makeResident(
  plan: CompiledPlan,
  { tensors }: Columns,
  dataSet: number,
  form: DataForm,
  fixed: ReadonlySet<number>,
): Steps<void> {
  for (const column of form.columns) {
    const values = valuesOf(tensors[column.column], column.dtype)
    if (!fixed.has(column.column) && plan.lend(dataSet, column, values)) continue
    for (const _ of writeSlices(plan.store(dataSet, column), 0, values)) yield toEventLoop
  }
}

/** Whether steps still read these values, bit for bit. */
export function* isResident(plan: CompiledPlan, { tensors }: Columns, dataSet: number, form: DataForm): Steps<boolean> {
  for (const column of form.columns) {
    const values = valuesOf(tensors[column.column], column.dtype)
    if (plan.isLent(dataSet, column, values)) continue
    const same = holdsSlices(plan.store(dataSet, column), values)
    let next = same.next()
    for (; !next.done; next = same.next()) yield toEventLoop
    if (!next.value) return false
  }
  return true
}

/** The stratified choice of rows, scikit-learn's StratifiedShuffleSplit for a single split. Not here: sizes. */

import { AnnealError, phrase, shapeError, typeError } from '../base/errors.js'
import { compareValues } from '../base/order.js'
import type { RandomState } from '../streams/random_state.js'
import { Tensor } from '../tensor/tensor.js'

/** One label per row. */
export type Labels = Tensor | ArrayLike<number> | readonly string[]

/** For every class, in rising order of its label, the rows that carry it. */
function classRows(where: string, n: number, labels: Labels): Int32Array[] {
  const values = labels instanceof Tensor ? labels.values : labels
  if (typeof values !== 'object' || typeof values?.length !== 'number') {
    throw typeError(where, 'stratify to be a Tensor or an array of labels', labels)
  }
  if (values.length !== n) throw shapeError(where, `stratify to have ${n} labels`, `${values.length}`)
  const rows = new Map<number | string, number[]>()
  for (let i = 0; i < n; i++) {
    const label = values[i]
    if (!(typeof label === 'string' || (typeof label === 'number' && !Number.isNaN(label)))) {
      throw typeError(where, `stratify[${i}] to be a number or a string`, label)
    }
    const found = rows.get(label)
    if (found) found.push(i)
    else rows.set(label, [i])
  }
  return [...rows.keys()].sort(compareValues).map(label => Int32Array.from(rows.get(label)!))
}

/**
 * About the likeliest way to draw `total` from classes of these sizes: shares rounded down, the largest remainders
 * one more. Ties are broken at random; the choice is drawn even where all of a tie are taken, as in scikit-learn.
 */
function approximateMode(counts: readonly number[], total: number, rs: RandomState): number[] {
  const sum = counts.reduce((a, b) => a + b, 0)
  const shares = counts.map(count => (count / sum) * total)
  const drawn = shares.map(Math.floor)
  const remainders = shares.map((share, i) => share - drawn[i])
  let missing = Math.trunc(total - drawn.reduce((a, b) => a + b, 0))
  for (const remainder of [...new Set(remainders)].sort((a, b) => b - a)) {
    if (missing <= 0) break
    const tied = remainders.flatMap((r, i) => (r === remainder ? [i] : []))
    const taken = Math.min(tied.length, missing)
    for (const i of rs.choice(tied, taken, { replace: false })) drawn[i]++
    missing -= taken
  }
  return drawn
}

function checkClasses(where: string, classes: readonly Int32Array[], train: number, test: number): void {
  const least = classes.reduce((least, rows) => Math.min(least, rows.length), Infinity)
  const fail = (expected: string, received: number) => {
    throw new AnnealError('ERR_SHAPE', phrase(where, expected, String(received)))
  }
  if (least < 2) fail('at least 2 rows of every class to stratify', least)
  if (train < classes.length) fail(`at least one row to train on per class (${classes.length})`, train)
  if (test < classes.length) fail(`at least one test row per class (${classes.length})`, test)
}

/** Row numbers of a split that keeps the proportions of the labels. */
export function stratifiedIndices(
  where: string,
  n: number,
  labels: Labels,
  { train, test }: { train: number; test: number },
  rs: RandomState,
): { train: Int32Array; test: Int32Array } {
  const classes = classRows(where, n, labels)
  checkClasses(where, classes, train, test)
  const counts = classes.map(rows => rows.length)
  const toTrain = approximateMode(counts, train, rs)
  const toTest = approximateMode(
    counts.map((count, i) => count - toTrain[i]),
    test,
    rs,
  )
  const trainRows: number[] = []
  const testRows: number[] = []
  classes.forEach((rows, c) => {
    const order = rs.permutation(rows.length)
    for (const i of order.subarray(0, toTrain[c])) trainRows.push(rows[i])
    for (const i of order.subarray(toTrain[c], toTrain[c] + toTest[c])) testRows.push(rows[i])
  })
  return { train: Int32Array.from(rs.permutation(trainRows)), test: Int32Array.from(rs.permutation(testRows)) }
}

/** Cutting rows into folds as scikit-learn does. Not here: a single split (train_test_split.ts), training on folds. */

import { checkBoolean, checkInt, checkOptions } from '../base/check.js'
import { rangeError } from '../base/errors.js'
import { RandomState } from '../streams/random_state.js'
import { type Cell, classesOf, codesOf, labelsOf, uniqueOf } from './labels.js'
import type { Labels } from './stratify.js'

/** Options of `kFold`, `stratifiedKFold` and `groupKFold`. */
export interface FoldOptions {
  /** How many. Default 5. */
  nSplits?: number
  /** Random folds rather than by the order of rows. Default false. */
  shuffle?: boolean
  /** With `shuffle`: a seed from 0 to 2^32 - 1, or a stream to go on with. Default: true randomness. */
  randomState?: number | RandomState | null
}

/** Row numbers, rising: those of one fold to test on, all others to train on. */
export interface Fold {
  /** Rows to train on. */
  train: Int32Array
  /** Rows to test on. */
  test: Int32Array
}

interface Checked {
  nSplits: number
  /** The stream to shuffle with, or null. */
  rs: RandomState | null
}

function checkFolds(where: string, options: FoldOptions, rows: number): Checked {
  const {
    nSplits = 5,
    shuffle = false,
    randomState,
  } = checkOptions(where, options, ['nSplits', 'shuffle', 'randomState'])
  checkInt(where, 'nSplits', nSplits, { min: 2 })
  checkBoolean(where, 'shuffle', shuffle)
  if (!shuffle && randomState != null) throw rangeError(where, 'shuffle to be true with randomState', shuffle)
  if (nSplits > rows) throw rangeError(where, `nSplits to be at most the number of rows (${rows})`, nSplits)
  if (!shuffle) return { nSplits, rs: null }
  return { nSplits, rs: randomState instanceof RandomState ? randomState : new RandomState(randomState) }
}

/** The folds of which each row is told which one tests it. */
function foldsOf(testFold: ArrayLike<number>, nSplits: number): Fold[] {
  const rows = Int32Array.from({ length: testFold.length }, (_, row) => row)
  return Array.from({ length: nSplits }, (_, fold) => ({
    train: rows.filter(row => testFold[row] !== fold),
    test: rows.filter(row => testFold[row] === fold),
  }))
}

/** 0 … n-1 as parts whose lengths differ by one at most, longer ones first: the part of each place. */
function evenParts(n: number, parts: number): Int32Array {
  const longer = n % parts
  const length = Math.floor(n / parts)
  const end = longer * (length + 1)
  return Int32Array.from({ length: n }, (_, i) => Math.floor(i < end ? i / (length + 1) : longer + (i - end) / length))
}

/**
 * `n` rows in folds of (nearly) the same size: each tests once what the others train.
 *
 * ```ts
 * for (const { train, test } of data.kFold(150, { nSplits: 5, shuffle: true, randomState: 0 })) {
 *   const loader = new data.DataLoader(new data.Subset(dataset, train), { batchSize: 16, shuffle: true })
 * }
 * ```
 * Throws RangeError for more folds than rows, or a randomState without `shuffle`. Source: sklearn.model_selection.KFold,
 * equal row for row.
 */
export function kFold(n: number, options: FoldOptions = {}): Fold[] {
  const where = 'kFold'
  checkInt(where, 'n', n, { min: 0, max: 2 ** 31 - 1 })
  const { nSplits, rs } = checkFolds(where, options, n)
  const parts = evenParts(n, nSplits)
  if (!rs) return foldsOf(parts, nSplits)
  const testFold = new Int32Array(n)
  rs.permutation(n).forEach((row, at) => {
    testFold[row] = parts[at]
  })
  return foldsOf(testFold, nSplits)
}

/**
 * Folds that keep the proportions of the labels.
 *
 * ```ts
 * const folds = data.stratifiedKFold(y, { nSplits: 5 })
 * ```
 * Warns where a class has fewer rows than there are folds. Throws RangeError where every class has, or for labels that
 * are no classes; errors as kFold. Source: sklearn.model_selection.StratifiedKFold, equal row for row.
 */
export function stratifiedKFold(y: Labels, options: FoldOptions = {}): Fold[] {
  const where = 'stratifiedKFold'
  const labels = classesOf(where, 'y', y)
  const { nSplits, rs } = checkFolds(where, options, labels.length)
  // Classes are numbered as they come up, and their rows in their order are given to the folds in turn.
  const classes = [...new Set<Cell>(labels as readonly Cell[])]
  const codes = codesOf(labels, classes)
  const counts = classes.map((_, k) => codes.filter(code => code === k).length)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  if (nSplits > most) throw rangeError(where, `nSplits to be at most the rows of the largest class (${most})`, nSplits)
  if (nSplits > least)
    process.emitWarning(`${where}: the smallest class has ${least} rows, fewer than nSplits (${nSplits})`)
  const sorted = codes.slice().sort()
  const testFold = new Int32Array(labels.length)
  counts.forEach((_, k) => {
    const share = (fold: number) =>
      sorted.reduce((sum, code, i) => sum + (code === k && i % nSplits === fold ? 1 : 0), 0)
    const folds = Int32Array.from(
      Array.from({ length: nSplits }, (_, fold) => new Array(share(fold)).fill(fold)).flat(),
    )
    rs?.shuffle(folds)
    let next = 0
    codes.forEach((code, row) => {
      if (code === k) testFold[row] = folds[next++]
    })
  })
  return foldsOf(testFold, nSplits)
}

/**
 * Folds that never part the rows of a group: `groups` names each row's.
 *
 * ```ts
 * const folds = data.groupKFold(['ann', 'bob', 'ann', 'eve'], { nSplits: 3 }) // no patient both trained and tested on
 * ```
 * Large groups go first, each to the fold with the fewest rows; with `shuffle` random groups. Throws RangeError for more
 * folds than groups; errors as kFold. Source: sklearn.model_selection.GroupKFold, equal row for row.
 */
export function groupKFold(groups: Labels, options: FoldOptions = {}): Fold[] {
  const where = 'groupKFold'
  const labels = labelsOf(where, 'groups', groups)
  const { nSplits, rs } = checkFolds(where, options, labels.length)
  const unique = uniqueOf(where, 'groups', labels)
  const codes = codesOf(labels, unique)
  const n = unique.length
  if (nSplits > n) throw rangeError(where, `nSplits to be at most the number of groups (${n})`, nSplits)
  const foldOfGroup = rs ? shuffledGroups(n, nSplits, rs) : balancedGroups(codes, n, nSplits)
  return foldsOf(
    codes.map(code => foldOfGroup[code]),
    nSplits,
  )
}

function shuffledGroups(n: number, nSplits: number, rs: RandomState): Int32Array {
  const parts = evenParts(n, nSplits)
  const foldOfGroup = new Int32Array(n)
  rs.permutation(n).forEach((group, at) => {
    foldOfGroup[group] = parts[at]
  })
  return foldOfGroup
}

/** The largest group first, of equal ones the last, to the first of the smallest folds. */
function balancedGroups(codes: Int32Array, n: number, nSplits: number): Int32Array {
  const counts = new Int32Array(n)
  for (const code of codes) counts[code]++
  const rows = new Float64Array(nSplits)
  const foldOfGroup = new Int32Array(n)
  for (const group of Int32Array.from(counts.keys()).sort((a, b) => counts[b] - counts[a] || b - a)) {
    const fold = rows.indexOf(Math.min(...rows))
    rows[fold] += counts[group]
    foldOfGroup[group] = fold
  }
  return foldOfGroup
}

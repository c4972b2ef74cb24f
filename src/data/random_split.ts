/** Cutting a dataset into random parts. */

import { checkNumber, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, typeError } from '../base/errors.js'
import { checkGenerator, type Generator } from '../streams/generator.js'
import { checkDataset, type Dataset, Subset } from './dataset.js'

/** Fractions of n rows as counts: rounded down, what remains handed out one by one from the first. */
function countsOf(fractions: readonly number[], n: number): number[] {
  const counts = fractions.map(fraction => Math.floor(n * fraction))
  const rest = n - counts.reduce((a, b) => a + b, 0)
  for (let i = 0; i < rest; i++) counts[i % counts.length]++
  return counts
}

function checkLengths(lengths: readonly number[], n: number): number[] {
  if (!Array.isArray(lengths)) throw typeError('randomSplit', 'lengths to be an array of numbers', lengths)
  lengths.forEach((length, i) => void checkNumber('randomSplit', `lengths[${i}]`, length, { min: 0 }))
  const sum = lengths.reduce((a, b) => a + b, 0)
  if (sum <= 1 && 1 - sum <= 1e-9) return countsOf(lengths, n)
  const fraction = lengths.find(length => !Number.isInteger(length))
  if (fraction !== undefined)
    throw rangeError('randomSplit', 'lengths to be integers or fractions that sum to 1', fraction)
  if (sum !== n) throw new AnnealError('ERR_SHAPE', phrase('randomSplit', `lengths that sum to ${n}`, `${sum}`))
  return [...lengths]
}

/**
 * Cuts a dataset into random parts of these lengths, or of these fractions where they sum to 1.
 *
 * ```ts
 * const [train, test] = data.randomSplit(dataset, [0.8, 0.2], { generator: new random.Generator(42) })
 * ```
 * Fractions are rounded down and the remaining rows handed out one by one from the first part. Draws one randperm.
 * Throws RangeError for lengths that are neither, ERR_SHAPE where they do not sum to the dataset's. Source:
 * torch.utils.data.random_split.
 */
export function randomSplit(
  dataset: Dataset,
  lengths: readonly number[],
  options: { generator?: Generator } = {},
): Subset[] {
  const { generator } = checkOptions('randomSplit', options, ['generator'])
  const n = checkDataset('randomSplit', dataset).length
  const counts = checkLengths(lengths, n)
  const order = checkGenerator('randomSplit', generator).randperm(n)
  let start = 0
  return counts.map(count => {
    const indices = order.subarray(start, start + count)
    start += count
    return new Subset(dataset, indices)
  })
}

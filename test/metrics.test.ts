/** Metrics against scikit-learn 1.9 in random cases, with tensors, and what they refuse. */
import { describe, expect, it } from 'vitest'
import * as metrics from '../src/metrics/index.js'
import { tensor } from '../src/tensor/index.js'
import { golden } from './helpers/golden.js'

type Case = [name: string, truth: unknown, prediction: unknown, options: Record<string, unknown>, result: unknown]
type Metric = (truth: unknown, prediction: unknown, options?: object) => unknown

const cases: Case[] = golden('metrics.json')
const byName = new Map(Object.entries(metrics) as [string, Metric][])

function expectSame(got: unknown, want: unknown, label: string): void {
  if (typeof got === 'number') {
    const wanted = Number(want)
    if (!Number.isFinite(wanted)) expect(got, label).toBe(wanted)
    else
      expect(Math.abs(got - wanted), `${label}: ${got}, want ${wanted}`).toBeLessThanOrEqual(
        1e-12 * Math.max(Math.abs(wanted), 1e-3),
      )
  } else if (typeof got === 'object' && got !== null) {
    expect(Object.keys(got), label).toEqual(Object.keys(want as object))
    for (const [key, value] of Object.entries(got))
      expectSame(value, (want as Record<string, unknown>)[key], `${label}.${key}`)
  } else expect(got, label).toBe(want)
}

describe('scikit-learn', () => {
  it.each([...new Set(cases.map(([name]) => name))])('%s', name => {
    const metric = byName.get(name)!
    cases.forEach(([of, truth, prediction, given, result], i) => {
      if (of !== name) return
      const options = given.zeroDivision === 'NaN' ? { ...given, zeroDivision: NaN } : given
      const label = `case ${i} ${JSON.stringify(given)}`
      if (result === null) expect(() => metric(truth, prediction, options), label).toThrow()
      else expectSame(metric(truth, prediction, options), result, label)
    })
  })
})

describe('metrics', () => {
  it('take tensors', () => {
    const y = tensor([0, 1, 2, 1], { dtype: 'int32' })
    const logits = tensor([[3, 1, 0], [0, 2, 1], [0, 2, 1], [1, 5, 1]]) // biome-ignore format: rows
    expect(metrics.accuracyScore(y, logits.argmax(1))).toBe(0.75)
    expect(metrics.rocAucScore(y, logits.softmax(1), { multiClass: 'ovr' })).toBeCloseTo(65 / 72, 12)
    expect(metrics.meanAbsoluteError(tensor([[1], [2]]), tensor([1, 4]))).toBe(1)
  })
  it('keep probabilities from 0 and 1 by the epsilon of their dtype', () => {
    expect(metrics.logLoss([1, 0], [0, 0])).toBeCloseTo(-Math.log(2 ** -52) / 2, 12)
    expect(metrics.logLoss([1, 0], tensor([0, 0]))).toBeCloseTo(-Math.log(2 ** -23) / 2, 6)
  })
  it('give the points of a ROC curve', () => {
    const points = metrics.rocCurve([0, 1, 0, 1], [0.1, 0.9, 0.4, 0.3])
    expect(points).toEqual({
      fpr: [0, 0, 0.5, 0.5, 1],
      tpr: [0, 0.5, 0.5, 1, 1],
      thresholds: [Infinity, 0.9, 0.4, 0.3, 0.1],
    })
  })
})

describe('what is refused', () => {
  const logits = [[1, 2], [2, 1]] // biome-ignore format: rows
  it.each<[string, () => unknown, string, string]>([
    ['logits for labels', () => metrics.accuracyScore([0, 1], logits), 'ERR_SHAPE', 'argmax(1)'],
    ['fractions for labels', () => metrics.f1Score([0, 1], [0.5, 1]), 'ERR_ARG_VALUE', 'yPred[0] to be a class'],
    ['missing labels', () => metrics.accuracyScore(['a', null], ['a', 'b']), 'ERR_ARG_VALUE', 'yTrue[1]'],
    ['other lengths', () => metrics.accuracyScore([0, 1], [0]), 'ERR_SHAPE', '2 predictions but received 1'],
    ['no rows', () => metrics.accuracyScore([], []), 'ERR_EMPTY', 'at least one row'],
    ['text and numbers', () => metrics.accuracyScore(['a'], [1]), 'ERR_ARG_TYPE', 'one type'],
    [
      'an unknown average',
      () => metrics.f1Score([0, 1], [0, 1], { average: 'all' as never }),
      'ERR_ARG_VALUE',
      "'macro'",
    ],
    ['several classes as two', () => metrics.f1Score([0, 1, 2], [0, 1, 2]), 'ERR_ARG_VALUE', "'macro'"],
    [
      'a positive class that is not there',
      () => metrics.f1Score([0, 1], [0, 1], { posLabel: 2 }),
      'ERR_ARG_VALUE',
      '0, 1',
    ],
    ['NaN scores', () => metrics.rocAucScore([0, 1], [0, NaN]), 'ERR_NONFINITE', 'yScore[1] to be a finite number'],
    ['two columns of scores', () => metrics.rocAucScore([0, 1], logits), 'ERR_SHAPE', 'that of the positive class'],
    ['logits of classes', () => metrics.rocAucScore([0, 1, 2], [[1, 2, 3], [1, 2, 3], [1, 2, 3]], { multiClass: 'ovr' }), 'ERR_ARG_VALUE', 'softmax'], // biome-ignore format: a row
    ['no probability', () => metrics.logLoss([0, 1], [0, 2]), 'ERR_ARG_VALUE', 'from 0 to 1'],
    ['a class without a column', () => metrics.logLoss([0, 1, 2], [[0.5, 0.5], [1, 0], [0, 1]]), 'ERR_SHAPE', 'give labels'], // biome-ignore format: a row
    ['NaN predictions', () => metrics.meanSquaredError([[1, 2]], [[1, NaN]]), 'ERR_NONFINITE', 'yPred[0][1]'],
    ['ragged predictions', () => metrics.meanSquaredError([[1, 2], [1, 2]], [[1, 2], [1]]), 'ERR_SHAPE', 'yPred[1]'], // biome-ignore format: a row
    ['a misspelt option', () => metrics.r2Score([1], [1], { weights: [1] } as never), 'ERR_ARG_TYPE', 'sampleWeight'],
    [
      'weights below 0',
      () => metrics.accuracyScore([1, 0], [1, 0], { sampleWeight: [1, -1] }),
      'ERR_ARG_VALUE',
      'sampleWeight[1]',
    ],
  ])('%s', (_, run, code, text) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }))
  })
})

/** `anneal validate` with fewer cases, and the judgement itself: what is wrong is found, counted and can be repeated. */

import { describe, expect, test } from 'vitest'
import { tellFailures } from '../src/cli/validate.js'
import { type Backend, backends } from '../src/compare/index.js'
import { kernelNames } from '../src/compare/tfjs/kernels.js'
import { counterparts } from '../src/compare/tfjs/optimizers.js'
import { judge, noVerdict, statedTerms, ulp } from '../src/compare/validate/judge.js'
import { subjects, validateSubject } from '../src/compare/validate/run.js'
import type { Subject } from '../src/compare/validate/subject.js'
import { trainingSubjects } from '../src/compare/validate/training.js'
import * as optim from '../src/optim/index.js'
import { allBackends, tfjsBackends } from './helpers/backends.js'

const CASES = 60

function expectWithinBounds(subject: Subject, backend: Backend, seed: number): void {
  const [{ cases, failures, worst, reproducer, share }] = validateSubject(subject, [backend], CASES, seed)
  expect(failures, `${worst}\n${reproducer}`).toBe(0)
  expect(cases).toBeGreaterThan(0)
  expect(share).toBeLessThanOrEqual(1)
  expect(Number.isNaN(share)).toBe(false)
}

describe.each(subjects.filter(({ cases }) => cases === undefined))('$name is within its bound', subject => {
  const able = allBackends.filter(backend => subject.has(backend))
  test.each(able)('on $name', backend => expectWithinBounds(subject, backend, 100))

  test('on native and reference at least', () => {
    expect(able).toEqual(expect.arrayContaining([backends.native, backends.reference]))
  })
})

test('the kernels, every optimizer of one kernel, and on TensorFlow.js those that it has, are compared', () => {
  const names = subjects.filter(({ cases }) => cases === undefined).map(({ name }) => name)
  const shared = Object.keys(counterparts).filter(name => name in optim)
  expect(names).toEqual(expect.arrayContaining([...kernelNames, ...shared, 'AdamW']))
  expect(shared).toEqual(expect.arrayContaining(['SGD', 'Adam']))
  for (const name of [...kernelNames, ...shared])
    for (const backend of tfjsBackends) expect(subjects.find(s => s.name === name)?.has(backend), name).toBe(true)
})

describe('200 steps from equal weights: 1e-5 in the loss of each step, 1e-4 along the run', () => {
  // TensorFlow.js without its native library takes too long for all steps of the large net.
  const againstNative = trainingSubjects(backends.native, ({ widths: [inputs] }, { name }) =>
    inputs > 100 && name !== 'node-gpu' ? 10 : 200,
  )
  describe.each(againstNative)('$name against native', subject => {
    test.each([...tfjsBackends, backends.reference])('on $name', backend => expectWithinBounds(subject, backend, 3))
  })
})

describe('the judgement', () => {
  const [linear] = subjects

  /** The native backend with one number of one kernel's last output changed by a millionth, or lost. */
  function faulty(change: (value: number) => number): Backend {
    const broken: Backend['kernels'][string] = args => {
      backends.native.kernels.linear_fwd(args)
      const y = args.y as Float32Array
      y[y.length - 1] = change(y[y.length - 1])
    }
    return { ...backends.native, name: 'native', kernels: { linear_fwd: broken } }
  }

  test.each([
    ['wrong', (value: number) => value + 1e-3 + Math.abs(value) * 1e-3],
    ['NaN', () => Number.NaN],
    ['infinite', () => Infinity],
  ])('finds a number that is %s, and says how to see it alone', (_, change) => {
    const [outcome] = validateSubject(linear, [faulty(change)], 8, 40)
    expect(outcome.failures).toBe(8)
    expect(outcome.share).toBeGreaterThan(1)
    expect(outcome.worst).toMatch(/^y\[\d+\]: expected .* but received /)
    expect(outcome.reproducer).toBe('anneal validate --backend native --kernel linear_fwd --cases 1 --seed 40')
    const lines: string[] = []
    expect(tellFailures([outcome], line => lines.push(line))).toBe(false)
    expect(lines.join('\n')).toContain(`linear_fwd on native: ${outcome.worst}\n  ${outcome.reproducer}`)
    expect(lines.at(-1)).toContain('1 of 1 lines failed')
  })

  test('a case is the same from the same seed alone', () => {
    const many = validateSubject(linear, [backends.native], 5, 10)[0]
    const alone = validateSubject(linear, [backends.native], 1, 14)[0]
    expect(alone.ulps).toEqual([many.ulps[4]])
  })

  test('reads the bounds that the binary states', () => {
    expect(statedTerms('linear_fwd', { m: 2, k: 7, n: 3 })).toBe(7)
    expect(statedTerms('softmax_xent_fwd_bwd', { m: 2, n: 3 })).toBe(19)
    expect(() => statedTerms('relu_fwd', {})).toThrow('no bound TERMS(t) for relu_fwd')
  })

  test('counts in ulps of the magnitude and in shares of the bound', () => {
    expect(ulp(1)).toBe(2 ** -23)
    expect(ulp(-1.5)).toBe(2 ** -23)
    expect(ulp(0)).toBe(2 ** -149)
    const verdict = noVerdict()
    judge([1 + 2 ** -22], { name: 'y', want: [1], magnitude: [1] }, 3, 0, verdict)
    expect(verdict.ulps).toBe(2)
    expect(verdict.share).toBeCloseTo(1 / 1.01, 12)
    expect(verdict.worst).toBe(`y[0]: expected 1 but received ${1 + 2 ** -22}`)
  })
})

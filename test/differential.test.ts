/**
 * Random models, data, optimizers, schedules and callbacks, trained by `fit` and by the explicit loop: losses, rates,
 * weights, state, modes and random streams are equal bit for bit, and what a plan can express is on the plan. What has ever
 * differed is in `found`, and runs first. One course: `ANNEAL_SEED=17 npx vitest run test/differential.test.ts`.
 */

import { describe, expect, it } from 'vitest'
import { byFit, byLoop } from './helpers/random_course.js'

/** Seeds whose courses once differed: state from the start that a fit dropped, a last batch of one row that was not planned. */
const found: readonly number[] = [17, 34, 51, 142, 159, 164]

const { ANNEAL_SEED, ANNEAL_FULL } = process.env
const count = ANNEAL_FULL ? 6000 : 320
const seeds = ANNEAL_SEED ? [Number(ANNEAL_SEED)] : [...found, ...Array.from({ length: count }, (_, i) => i + 1)]

describe('fit and the explicit loop', () => {
  it(`agree in ${seeds.length} courses, on the plan where it can be`, { timeout: 900_000 }, async () => {
    const differing: string[] = []
    let planned = 0
    for (const seed of seeds) {
      const { course, engine, reason, ...fitted } = await byFit(seed)
      const told = `seed ${seed}, ${engine}${reason ? ` (${reason})` : ''}: ${course.names.join(', ')}`
      const looped = byLoop(seed)
      for (const key of ['trainLoss', 'testLoss', 'lr', 'end'] as const) {
        const [a, b] = [fitted[key], looped[key]].map(value => JSON.stringify(value))
        if (a !== b) differing.push(`${told}\n  ${key}: ${a} by fit, ${b} by the loop`)
      }
      if (engine !== (course.plannable ? 'plan' : 'eager')) differing.push(`${told}: the wrong engine`)
      if (engine === 'plan') planned++
    }
    expect(differing.slice(0, 3).join('\n\n'), `${differing.length} of ${seeds.length} courses`).toBe('')
    console.log(`${seeds.length} courses, ${planned} on the plan`)
    if (!ANNEAL_SEED) expect(planned / seeds.length).toBeGreaterThanOrEqual(0.6)
  })
})

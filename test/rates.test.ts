import { describe, expect, it } from 'vitest'
import { Rates } from '../src/train/rates.js'

/** What was noted, one by one. */
function noted(steps: readonly [rate: number | number[], times: number][]): {
  rates: Rates
  all: (number | number[])[]
} {
  const [rates, all] = [new Rates(), [] as (number | number[])[]]
  for (const [rate, times] of steps) {
    rates.note(rate)
    rates.repeat(times - 1)
    for (let i = 0; i < times; i++) all.push(rate)
  }
  return { rates, all }
}

describe('rates of a run', () => {
  const steps: [number, number][] = [
    [0.1, 1],
    [0.1, 40],
    [0.05, 3],
    [0.025, 1],
    [0.0125, 17],
  ]

  it('are spelt out one per update', () => {
    const { rates, all } = noted(steps)
    expect(rates.count).toBe(all.length)
    expect(rates.last).toBe(0.0125)
    expect(rates.toArray()).toEqual(all)
    expect(new Rates().toArray()).toEqual([])
  })

  it('are arrays of their own where there are several groups', () => {
    const { rates, all } = noted([
      [[0.1, 0.2], 20],
      [[0.1, 0.1], 2],
    ])
    const got = rates.toArray()
    expect(got).toEqual(all)
    expect(got[0]).not.toBe(got[1])
  })

  it('go back to any update and on from there', () => {
    const { all } = noted(steps)
    for (let count = 0; count <= all.length; count++) {
      const { rates } = noted(steps)
      rates.rewind(count)
      expect(rates.count).toBe(count)
      expect(rates.toArray()).toEqual(all.slice(0, count))
      rates.note(7)
      expect(rates.toArray()).toEqual([...all.slice(0, count), 7])
    }
  })
})

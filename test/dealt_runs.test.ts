/** Runs that ranks share: each is done once, by whoever is free; what ends one rank ends all. Ranks of one process here. */

import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Ranks } from '../src/distributed/numbers.js'
import { runDealt } from '../src/train/dealt_runs.js'
import { type Job, RunsAbortedError } from '../src/train/parallel_runs.js'

/** Ranks that meet within this process. */
function ranksOf(size: number): Ranks[] {
  const met: { bytes: Uint8Array; resolve: (all: Uint8Array) => void }[] = []
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    gather: bytes =>
      new Promise(resolve => {
        expect(met[rank]).toBeUndefined()
        met[rank] = { bytes: bytes.slice(), resolve }
        if (met.filter(Boolean).length < size) return
        const all = Buffer.concat(met.map(({ bytes }) => bytes))
        for (const { resolve } of met.splice(0)) resolve(all)
      }),
  }))
}

/** Jobs that last so many milliseconds each on a rank; what they did is their place. */
function jobsFor(count: number, ms: number, act: (place: number) => void = () => {}): Job<number>[] {
  return Array.from({ length: count }, (_, place) => ({
    seed: 0,
    *steps(signal) {
      act(place)
      for (let i = 0; i < ms && !signal.aborted; i += 5) yield pause(5)
      signal.throwIfAborted()
      return place
    },
  }))
}

describe('jobs of several ranks', () => {
  it('are done once each, more of them where they are quick', async () => {
    const parts = await Promise.all(
      ranksOf(3).map((ranks, i) => runDealt(ranks, 'test', jobsFor(30, [5, 5, 200][i]), undefined)),
    )
    expect(parts.flat().sort((a, b) => a - b)).toEqual([...Array(30).keys()])
    for (const part of parts) expect(part).toEqual([...part].sort((a, b) => a - b))
    expect(parts[2].length).toBeLessThan(parts[0].length)
    expect(parts[2].length).toBeGreaterThan(0)
  })

  it.each([
    [1, 7],
    [4, 2],
    [3, 0],
  ])('%i ranks, %i jobs', async (size, count) => {
    const parts = await Promise.all(ranksOf(size).map(ranks => runDealt(ranks, 'test', jobsFor(count, 0), undefined)))
    expect(parts.flat().sort((a, b) => a - b)).toEqual([...Array(count).keys()])
  })

  it('end everywhere where one fails or is aborted, with its own error there', async () => {
    const fail = (place: number) => {
      if (place === 5) throw new Error('mine')
    }
    const failed = await Promise.allSettled(
      ranksOf(3).map(ranks => runDealt(ranks, 'test', jobsFor(30, 50, fail), undefined)),
    )
    const reasons = failed.map(result => (result as PromiseRejectedResult).reason)
    const by = reasons.findIndex(reason => reason.message === 'mine')
    expect(by).toBeGreaterThanOrEqual(0)
    for (const [rank, reason] of reasons.entries()) {
      if (rank === by) continue
      expect(reason).toBeInstanceOf(RunsAbortedError)
      expect(reason).toMatchObject({ code: 'ERR_ABORTED', cause: `rank ${by} ended the sweep` })
    }
    // A rank whose workers all wait for a run when another stops has nothing to throw of its own.
    const quick = await Promise.allSettled(
      ranksOf(2).map((ranks, rank) =>
        runDealt(ranks, 'test', jobsFor(2000, rank === 0 ? 0 : 30, rank === 1 ? fail : undefined), undefined),
      ),
    )
    expect(quick.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const controller = new AbortController()
    setTimeout(() => controller.abort('enough'), 60)
    const aborted = await Promise.allSettled(
      ranksOf(2).map((ranks, i) => runDealt(ranks, 'test', jobsFor(50, 30), i === 1 ? controller.signal : undefined)),
    )
    expect(aborted.map(result => (result as PromiseRejectedResult).reason.cause)).toEqual([
      'rank 1 ended the sweep',
      'enough',
    ])
  })
})

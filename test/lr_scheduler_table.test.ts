/** What holds for every schedule, over the rows of the gallery: previews, snapshots, state dicts, JSON, documentation. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  drawSchedule,
  type GalleryEntry,
  galleryFile,
  galleryOptimizer,
  gallerySteps,
  scheduleGallery,
} from '../examples/lib/schedule_gallery.js'
import { AnnealError } from '../src/base/errors.js'
import * as lr from '../src/lr_scheduler/index.js'
import type { Optimizer } from '../src/optim/index.js'

/** An Optimizer of the package fits: a type that does not is a compile error. */
const fits: (optimizer: Optimizer) => lr.Schedulable = optimizer => optimizer

const concrete = Object.entries(lr).filter(([, value]) => typeof value === 'function' && Object.hasOwn(value, 'spec'))
const rows = scheduleGallery.map(entry => [entry.name, entry] as const)
const half = gallerySteps / 2

function begin({ make }: GalleryEntry) {
  const optimizer = galleryOptimizer(2)
  return { optimizer, scheduler: make(optimizer) }
}

type Run = ReturnType<typeof begin>

/** Steps from count `from` to count `to`; the values of the groups after each. */
function walk(
  { metrics }: GalleryEntry,
  { optimizer, scheduler }: Run,
  from: number,
  to: number,
): lr.ScheduledGroup[][] {
  const seen: lr.ScheduledGroup[][] = []
  for (let t = from; t < to; t++) {
    scheduler.step(metrics?.[t])
    seen.push(structuredClone(optimizer.paramGroups))
  }
  return seen
}

function halfway(entry: GalleryEntry): Run {
  const run = begin(entry)
  walk(entry, run, 0, half)
  return run
}

it('every schedule has a row and a chapter with its picture', () => {
  const page = readFileSync(new URL('../docs/schedules.md', import.meta.url), 'utf8')
  expect(scheduleGallery.map(({ name }) => name).sort()).toEqual(concrete.map(([name]) => name).sort())
  for (const [name, value] of concrete) {
    expect((value as typeof lr.StepLR).spec.name).toBe(name)
    expect(page).toContain(`\n### ${name}\n`)
    expect(page).toContain(`](${galleryFile(name)})`)
    for (const option of Object.keys((value as typeof lr.StepLR).spec.options)) expect(page).toContain(`\`${option}\``)
  }
  expect(page.match(/^### /gm)).toHaveLength(concrete.length)
  expect(fits).toBeTypeOf('function')
})

it('a class of a user that extends a flat schedule is never skipped', () => {
  class Restless extends lr.StepLR {
    protected override next(t: number, _i: number, now: number): number {
      return now * (1 + t)
    }
  }
  expect(new Restless(galleryOptimizer(1), { stepSize: 10 }).skipUnchanged(5)).toBe(0)
  expect(new lr.StepLR(galleryOptimizer(1), { stepSize: 10 }).skipUnchanged(5)).toBe(5)
  expect(new lr.StepLR(galleryOptimizer(1), { stepSize: 10 }).skipUnchanged(50)).toBe(9)
})

it.each(rows)('the picture of %s is what the library draws', async (name, entry) => {
  const picture = readFileSync(new URL(`../docs/${galleryFile(name)}`, import.meta.url), 'utf8')
  expect((await drawSchedule(entry)).svg).toBe(picture)
})

describe.each(rows)('%s', (_, entry) => {
  const truth = [structuredClone(begin(entry).optimizer.paramGroups), ...walk(entry, begin(entry), 0, gallerySteps - 1)]
  const key = begin(entry).scheduler.param

  it('skips steps that leave every value as it is, and no others', () => {
    const [skipping, stepping] = [begin(entry), begin(entry)]
    for (let t = 0; t < gallerySteps; t++) {
      const steps = skipping.scheduler.skipUnchanged(gallerySteps - t)
      const before = structuredClone(stepping.optimizer.paramGroups)
      walk(entry, stepping, t, t + steps)
      expect(stepping.optimizer.paramGroups).toEqual(before)
      expect(skipping.scheduler.stateDict()).toEqual(stepping.scheduler.stateDict())
      t += steps
      for (const run of [skipping, stepping]) walk(entry, run, t, t + 1)
    }
    expect(skipping.optimizer.paramGroups).toEqual(stepping.optimizer.paramGroups)
  })

  it('previews what comes and touches nothing', () => {
    const { optimizer, scheduler } = halfway(entry)
    const before = structuredClone([optimizer.paramGroups, scheduler.stateDict()])
    const later = scheduler.preview(half, entry.metrics?.slice(half))
    expect([optimizer.paramGroups, scheduler.stateDict()]).toEqual(before)
    expect(later).toEqual(truth.slice(half).map(groups => groups.map(group => group[key])))
    expect(scheduler.preview(0)).toEqual([])
  })

  it('goes on with the last value past its end', () => {
    const { scheduler } = begin(entry)
    const rows = scheduler.preview(3 * gallerySteps, entry.metrics)
    expect(rows).toHaveLength(3 * gallerySteps)
    for (const row of rows.flat()) expect(row).toBeGreaterThanOrEqual(0)
  })

  it('restores a snapshot as often as asked', () => {
    const run = halfway(entry)
    const state = run.scheduler.stateDict()
    const restore = run.scheduler.snapshot()
    for (const until of [half + 3, gallerySteps - 1]) {
      expect(walk(entry, run, half, until)).toEqual(truth.slice(half + 1, until + 1))
      run.optimizer.paramGroups[0].dampening = until
      restore()
      expect(run.scheduler.stateDict()).toEqual(state)
      expect(run.optimizer.paramGroups).toEqual(truth[half].map((g, i) => (i === 0 ? { ...g, dampening: until } : g)))
      delete run.optimizer.paramGroups[0].dampening
    }
  })

  it('goes on from its state dict', () => {
    const first = halfway(entry)
    const second = begin(entry)
    second.scheduler.loadStateDict(structuredClone(first.scheduler.stateDict()))
    second.optimizer.paramGroups.forEach((group, i) => {
      Object.assign(group, first.optimizer.paramGroups[i])
    })
    expect(second.scheduler.getLastLr()).toEqual(first.scheduler.getLastLr())
    expect(second.scheduler.lastEpoch).toBe(half)
    expect(walk(entry, second, half, gallerySteps - 1)).toEqual(truth.slice(half + 1))
  })

  it('gives a copy as state dict', () => {
    const { scheduler } = halfway(entry)
    const dict = scheduler.stateDict()
    for (const list of Object.values(dict)) if (Array.isArray(list)) list.length = 0
    expect(scheduler.stateDict()).not.toEqual(dict)
  })

  it('refuses a state dict that does not fit, and stays as it was', () => {
    const { scheduler } = halfway(entry)
    const dict = scheduler.stateDict()
    for (const name of Object.keys(dict).filter(k => k !== '_get_lr_called_within_step')) {
      const { [name]: _, ...rest } = dict
      expect(() => scheduler.loadStateDict(rest), `without ${name}`).toThrow(AnnealError)
      expect(scheduler.stateDict()).toEqual(dict)
    }
    for (const bad of [null, [], 'x', 1] as never[]) expect(() => scheduler.loadStateDict(bad)).toThrow(TypeError)
    expect(() => scheduler.loadStateDict({ ...dict, _last_lr: [0.1] })).toThrow(AnnealError)
    expect(() => scheduler.loadStateDict({ ...dict, _last_lr: [NaN, 1] })).toThrow(AnnealError)
    expect(scheduler.stateDict()).toEqual(dict)
  })

  it('goes through JSON', () => {
    const run = halfway(entry)
    if (entry.hasFunction) {
      expect(() => JSON.stringify(run.scheduler)).toThrow(/without functions/)
      return
    }
    const text = JSON.stringify(run.scheduler)
    const optimizer = galleryOptimizer(2)
    const again = { optimizer, scheduler: lr.fromJSON(optimizer, JSON.parse(text)) }
    expect(again.scheduler.constructor).toBe(run.scheduler.constructor)
    expect(again.optimizer.paramGroups).toEqual(run.optimizer.paramGroups)
    expect(JSON.stringify(again.scheduler)).toBe(text)
    expect(walk(entry, again, half, gallerySteps - 1)).toEqual(truth.slice(half + 1))
  })

  it('writes nothing but its own keys', () => {
    const { optimizer, scheduler } = halfway(entry)
    const fresh = galleryOptimizer(2)
    for (const [i, group] of optimizer.paramGroups.entries()) {
      for (const name of Object.keys(group).filter(name => !scheduler.ownKeys().includes(name))) {
        expect(group[name]).toBe(fresh.paramGroups[i][name])
      }
    }
  })

  it('refuses what is no optimizer, and options it does not know', () => {
    const Class = Object.fromEntries(concrete)[entry.name] as unknown as new (...args: unknown[]) => unknown
    for (const bad of [undefined, null, 1, {}, { paramGroups: [] }, { paramGroups: [{}] }]) {
      expect(() => new Class(bad, {})).toThrow(TypeError)
    }
    if (entry.name !== 'ChainedScheduler') {
      expect(() => new Class(galleryOptimizer(), { nonsense: 1 })).toThrow(TypeError)
      for (const bad of [null, 1, []]) expect(() => new Class(galleryOptimizer(), bad)).toThrow(TypeError)
    }
    for (const bad of [-1, 0.5, NaN, '3'] as number[])
      expect(() => begin(entry).scheduler.preview(bad)).toThrow(/preview: expected n/)
    expect(() => begin(entry).scheduler.preview(3, ['x'] as never)).toThrow(/metrics\[0\]/)
    expect(() => begin(entry).scheduler.preview(3, 5 as never)).toThrow(/metrics to be an array/)
  })
})

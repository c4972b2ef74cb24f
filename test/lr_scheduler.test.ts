/** Every schedule against PyTorch's trajectories, states, refusals and resumptions: all entries of schedulers.json. */

import { describe, expect, it } from 'vitest'
import type { LRScheduler } from '../src/lr_scheduler/index.js'
import {
  build,
  camel,
  expectSame,
  type FakeOptimizer,
  type Golden,
  type Group,
  goldens,
  optimizerOf,
} from './helpers/schedules.js'

const tracked: Record<string, (group: Group) => unknown> = {
  lrs: group => group.lr,
  momentum: group => group.momentum,
  betas: group => group.betas,
}

interface Run {
  optimizer: FakeOptimizer
  scheduler: LRScheduler
}

function start(entry: Golden): Run {
  const optimizer = optimizerOf(entry)
  return { optimizer, scheduler: build(optimizer, entry.scheduler, entry.args) }
}

function edit(entry: Golden, step: number, { paramGroups }: FakeOptimizer): void {
  for (const { before_step, group, lr } of entry.edits ?? []) if (before_step === step) paramGroups[group].lr = lr
}

/** What step `k` (from 1) is given. */
function argument(entry: Golden, k: number): number | undefined {
  return entry.metrics?.[k - 1] ?? entry.step_args?.[k - 1]
}

/** Everything built anew, and PyTorch's own state dicts loaded. */
function reloaded(entry: Golden): Run {
  const { scheduler: saved, param_groups } = entry.state_before_step
  const run = start(entry)
  for (const [g, { params: _, ...group }] of param_groups.entries()) {
    for (const [key, value] of Object.entries(group)) run.optimizer.paramGroups[g][camel(key)] = value
  }
  run.scheduler.loadStateDict(infinite(saved))
  return run
}

/** The goldens write infinity as text. */
function infinite(value: Golden): Golden {
  if (value === 'Infinity' || value === '-Infinity') return Number(value)
  if (Array.isArray(value)) return value.map(infinite)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, infinite(entry)]))
}

function checkRow(entry: Golden, t: number, { optimizer, scheduler }: Run): void {
  for (const [name, read] of Object.entries(tracked)) {
    if (entry[name]) expectSame(optimizer.paramGroups.map(read), entry[name][t], `${name}[${t}]`)
  }
  if (entry.best_bad_cooldown) {
    const { best, num_bad_epochs, cooldown_counter } = scheduler.stateDict()
    expectSame([best, num_bad_epochs, cooldown_counter], entry.best_bad_cooldown[t], `state ${t}`)
  }
}

function follow(entry: Golden): Run {
  let run = start(entry)
  checkRow(entry, 0, run)
  for (let k = 1; k < entry.lrs.length; k++) {
    if (entry.roundtrip_at === k) {
      expectSame(run.scheduler.stateDict(), entry.state_before_step.scheduler, 'state')
      run = reloaded(entry)
    }
    edit(entry, k, run.optimizer)
    run.scheduler.step(argument(entry, k))
    checkRow(entry, k, run)
    expectSame(run.scheduler.getLastLr(), entry.lrs[k], `getLastLr ${k}`)
  }
  return run
}

const accepted = goldens.filter(entry => !entry.construct_error)
const refused = goldens.filter(entry => entry.construct_error)

describe('trajectories of PyTorch', () => {
  it.each(accepted.map(entry => [entry.name, entry]))('%s', (_, entry) => {
    const { scheduler } = follow(entry)
    if (entry.final_state) expectSame(scheduler.stateDict(), entry.final_state, 'final state')
    if (entry.step_error) expect(() => scheduler.step()).toThrow(RangeError)
  })
})

describe('preview', () => {
  const plain = accepted.filter(entry => !entry.edits && !entry.step_args)
  it.each(plain.map(entry => [entry.name, entry]))('%s', (_, entry) => {
    const { optimizer, scheduler } = start(entry)
    const at = Math.floor(entry.lrs.length / 3)
    for (let k = 1; k <= at; k++) scheduler.step(argument(entry, k))
    const groups = structuredClone(optimizer.paramGroups)
    const state = scheduler.stateDict()
    const rows = scheduler.preview(entry.lrs.length - at, entry.metrics?.slice(at))
    expectSame(rows, entry.lrs.slice(at), 'preview')
    expect(optimizer.paramGroups).toEqual(groups)
    expect(scheduler.stateDict()).toEqual(state)
  })
})

describe('refusals of PyTorch', () => {
  it.each(refused.map(entry => [entry.name, entry]))('%s', (_, entry) => {
    const coded = expect.objectContaining({ code: expect.stringMatching(/^ERR_ARG_/) })
    expect(() => start(entry)).toThrow(coded)
    expect(() => start(entry)).toThrow(new RegExp(`^${entry.scheduler}: expected .* but received`))
  })
})

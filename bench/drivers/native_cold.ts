/**
 * The first epoch of a fresh process, from the call of `fit` until it is done, and the memory that it adds to that of the
 * set. Run with --expose-gc, so that what made the set is gone before.
 */
import { setTimeout } from 'node:timers/promises'
import { fit, nn } from 'anneal'
import type { ColdTrial } from '../trials.js'
import { modelOf, optimizerOf, setsOf, version } from './anneal.js'
import { microseconds, readRequest, writeAnswer } from './driver.js'

const { trial, threads } = readRequest<ColdTrial>()
const { step } = trial
const { train } = setsOf(step)
const model = modelOf(step)
const optimizer = optimizerOf(model.parameters(), step.optimizer)
const loss = new nn.CrossEntropyLoss()
globalThis.gc?.()
await setTimeout(200) // buffers are given back on another thread, a little later

const before = process.memoryUsage.rss()
const cpu = process.cpuUsage()
let check = Number.NaN
const us = await microseconds(async () => {
  const { trainLoss } = await fit(model, { train, loss, optimizer, epochs: 1, threads })
  check = trainLoss[0]
})
const { user, system } = process.cpuUsage(cpu)
const addedMB = (process.memoryUsage.rss() - before) / 2 ** 20
writeAnswer({ version, unit: 'us', samples: [us], busy: (user + system) / us, check, addedMB, settings: { threads } })

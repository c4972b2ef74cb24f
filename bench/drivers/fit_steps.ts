/** Times the steps of a `fit` by the clock of its progress events, for drivers that call it in different ways. */

import { AnnealError, type ProgressEvent } from 'anneal'

export type Progress = (event: ProgressEvent) => void

/** Microseconds per step between two progress events, several times a second, until the time is up. */
export async function timeSteps(
  seconds: number,
  train: (onProgress: Progress, signal: AbortSignal) => Promise<unknown>,
) {
  const abort = new AbortController()
  const samples: number[] = []
  const first = { step: 0, time: 0, cpu: process.cpuUsage() }
  let last = { step: 0, time: 0 }
  const onProgress = ({ step }: ProgressEvent) => {
    const now = { step, time: performance.now() }
    if (first.time === 0) Object.assign(first, now, { cpu: process.cpuUsage() })
    else samples.push(((now.time - last.time) * 1000) / (step - last.step))
    last = now
    if (now.time - first.time > seconds * 1000) abort.abort()
  }
  await train(onProgress, abort.signal).catch(error => {
    if (!(error instanceof AnnealError && error.code === 'ERR_ABORTED')) throw error
  })
  const { user, system } = process.cpuUsage(first.cpu)
  return { samples, busy: (user + system) / 1000 / (last.time - first.time), steps: last.step - first.step }
}

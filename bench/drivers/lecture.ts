/**
 * Times the whole lecture: a cold pair of runs, then untimed ones for a while, then warm ones. The sum of both last training
 * losses is the check.
 */
import type { LectureTrial } from '../trials.js'
import { microseconds, writeAnswer } from './driver.js'

/** `train(decay)` does one run from seed 0 and returns its last epoch's training loss. */
export async function timeLecture(
  trial: LectureTrial,
  version: string,
  train: (decay: boolean) => number | Promise<number>,
  settings: Record<string, unknown> = {},
): Promise<void> {
  let check = 0
  const both = () => microseconds(async () => (check = (await train(true)) + (await train(false))))
  const coldMs = (await both()) / 1000
  for (const end = performance.now() + trial.warmUpMs; performance.now() < end; ) await both()
  const samples: number[] = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (let i = 0; i < trial.repeats; i++) samples.push(await both())
  const { user, system } = process.cpuUsage(cpu)
  const busy = (user + system) / 1000 / (performance.now() - start)
  writeAnswer({ version, unit: 'us', samples, busy, check, coldMs, settings })
}

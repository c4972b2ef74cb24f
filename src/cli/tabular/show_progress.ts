/** The progress of a run on the terminal, on standard error: a bar, or now and then a line. */

import type { callbacks } from '../../index.js'
import { trainingProgress } from '../../report/index.js'

/** Lines at most, where there is no terminal. */
const MOST_LINES = 20

/** A callback that shows each epoch with speed and time left; `updates` are those of an epoch. */
export async function showProgress(label: string, epochs: number, updates: number): Promise<callbacks.Callback> {
  const stream = process.stderr
  const progress = await trainingProgress({ label, epochs, stream })
  const every = stream.isTTY ? 1 : Math.ceil(epochs / MOST_LINES)
  let [started, first] = [0, 0]
  return {
    watchOnly: true,
    onStart() {
      started = performance.now()
    },
    onEpoch({ epoch, trainLoss, testLoss, trainAcc, testAcc, lr }) {
      first ||= epoch
      if (epoch % every !== 0 && epoch !== epochs) return
      const perEpoch = (performance.now() - started) / 1000 / (epoch - first + 1)
      progress.update({
        ...{ epoch, loss: trainLoss, testLoss, accuracy: testAcc ?? trainAcc },
        lr: Number((Array.isArray(lr) ? lr[0] : lr).toPrecision(3)),
        stepsPerSecond: updates / perEpoch,
        secondsLeft: (epochs - epoch) * perEpoch,
      })
    },
    onEnd: () => progress.stop(),
  }
}

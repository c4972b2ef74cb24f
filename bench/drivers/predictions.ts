/** What the drivers that predict share: the trial's rows, and the timing of one prediction after the other. */
import { type nn, type Tensor, tensor } from 'anneal'
import { type PredictTrial, RELU } from '../trials.js'
import { modelOf, version } from './anneal.js'
import { uniform } from './data.js'
import { readRequest, runsPerBlock, timed, warmUp, writeAnswer } from './driver.js'

/** Predicts for the rows; the outputs may come later. */
export type Predict = (x: Tensor) => ArrayLike<number> | Promise<ArrayLike<number>>

/** `make` gives what predicts with the trial's model on so many threads. */
export async function timePredictions(
  make: (model: nn.Sequential, threads: number) => Predict | Promise<Predict>,
  of = version,
): Promise<void> {
  const { trial, threads, seconds } = readRequest<PredictTrial>()
  const { rows, widths } = trial
  const x = tensor(
    uniform(rows * widths[0]).map(value => value - 0.5),
    { shape: [rows, widths[0]] },
  )
  const predict = await make(modelOf({ widths, hidden: RELU }), threads)
  const outputs = Array.from(await predict(x))
  // Who answers at once is not waited for: that alone would cost a fifth of the smallest prediction.
  const repeat = async (calls: number) => {
    for (let i = 0; i < calls; i++) {
      const y = predict(x)
      if (y instanceof Promise) await y
    }
  }
  const calls = runsPerBlock(seconds, await warmUp(repeat))
  const figures = await timed(() => repeat(calls), calls)
  const check = outputs.reduce((sum, value) => sum + value * value, 0) / outputs.length
  writeAnswer({ version: of, unit: 'us', ...figures, check, settings: { threads } })
}

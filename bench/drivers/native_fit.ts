/**
 * `fit` as a user calls it: order of rows, gather, schedule and history are all inside the measured time. One call per
 * block, of as many epochs as fill it; the first call on the whole set, which makes it resident, comes before the clock
 * where the trial is short enough for that, and is inside the figure where one epoch is longer than the trial may take.
 */
import { fit, type History, nn, random } from 'anneal'
import type { LectureTrial, StepTrial, Trial } from '../trials.js'
import { checkEpochs, lectureLoaders, modelOf, optimizerOf, QwertyNet, schedulerOf, setsOf, version } from './anneal.js'
import { blocksFor, microseconds, readRequest, runsPerBlock, timed, warmUp, writeAnswer } from './driver.js'
import { timeLecture } from './lecture.js'

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

async function measureSteps(trial: StepTrial, threads: number, seconds: number): Promise<void> {
  const model = modelOf(trial)
  const optimizer = optimizerOf(model.parameters(), trial.optimizer)
  const scheduler = schedulerOf(optimizer, trial.schedule)
  const sets = setsOf(trial)
  const loss = new nn.CrossEntropyLoss()
  let history: History | undefined
  const run = async (train: typeof sets.train, epochs: number) => {
    history = await fit(model, { train, loss, optimizer, scheduler, epochs, threads })
  }
  const coldMs = (await microseconds(() => run(sets.check, checkEpochs(trial)))) / 1000
  const check = mean(history?.trainLoss ?? [])
  const usPerStep = (await microseconds(() => run(sets.check, checkEpochs(trial)))) / trial.checkSteps

  const perEpoch = sets.train.length
  let usPerEpoch = usPerStep * perEpoch
  if (usPerEpoch < seconds * 1e6) {
    await run(sets.train, 1)
    usPerEpoch = await warmUp(epochs => run(sets.train, epochs))
  }
  const epochs = runsPerBlock(seconds, usPerEpoch)
  const blocks = blocksFor(seconds, usPerEpoch)
  const figures = await timed(() => run(sets.train, epochs), epochs * perEpoch, blocks)
  const settings = { threads, engine: history?.engine, reason: history?.engineReason }
  writeAnswer({ version, unit: 'us', ...figures, check, coldMs, settings })
}

/** One run of the lecture; returns the last epoch's training loss. */
async function lecture(
  trial: LectureTrial,
  loaders: ReturnType<typeof lectureLoaders>,
  threads: number,
  decay: boolean,
) {
  random.manualSeed(0)
  const model = new QwertyNet()
  const optimizer = optimizerOf(model.parameters(), trial.optimizer)
  const scheduler = decay ? schedulerOf(optimizer, trial.schedule) : undefined
  const loss = new nn.CrossEntropyLoss()
  const history = await fit(model, { ...loaders, loss, optimizer, scheduler, epochs: trial.epochs, threads })
  return history.trainLoss[history.trainLoss.length - 1]
}

const { trial, threads, seconds } = readRequest<Trial>()
if (trial.kind === 'step') await measureSteps(trial, threads, seconds)
if (trial.kind === 'lecture') {
  const loaders = lectureLoaders(trial)
  await timeLecture(trial, version, decay => lecture(trial, loaders, threads, decay), { threads })
}

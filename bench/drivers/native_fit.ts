/**
 * `fit` as a user calls it: order of rows, gather, schedule and history are all inside the measured time. The steps are
 * those of one call, by the clock of its progress events; what comes before the first of them, as making the set
 * resident, is not counted, as with the others.
 */
import { fit, type History, nn, random } from 'anneal'
import { type LectureTrial, type StepTrial, stepOf, type Trial } from '../trials.js'
import {
  checkEpochs,
  lectureLoaders,
  lossOf,
  modelOf,
  optimizerOf,
  QwertyNet,
  schedulerOf,
  setsOf,
  version,
} from './anneal.js'
import { microseconds, readRequest, writeAnswer } from './driver.js'
import { timeSteps } from './fit_steps.js'
import { timeLecture } from './lecture.js'

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

async function measureSteps(trial: StepTrial, threads: number, seconds: number): Promise<void> {
  const model = modelOf(trial)
  const optimizer = optimizerOf(model.parameters(), trial.optimizer)
  const scheduler = schedulerOf(optimizer, trial.schedule)
  const sets = setsOf(trial)
  const loss = lossOf(trial)
  let history: History | undefined
  const run = async (train: typeof sets.train, epochs: number) => {
    history = await fit(model, { train, loss, optimizer, scheduler, epochs, threads })
  }
  const coldMs = (await microseconds(() => run(sets.check, checkEpochs(trial)))) / 1000
  const check = mean(history?.trainLoss ?? [])

  const figures = await timeSteps(seconds, (onProgress, signal) =>
    fit(model, { train: sets.train, loss, optimizer, scheduler, epochs: 1e9, threads, onProgress, signal }),
  )
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
const step = stepOf(trial)
if (step) await measureSteps(step, threads, seconds)
if (trial.kind === 'lecture') {
  const loaders = lectureLoaders(trial)
  await timeLecture(trial, version, decay => lecture(trial, loaders, threads, decay), { threads })
}

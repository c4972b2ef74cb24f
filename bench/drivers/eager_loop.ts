/**
 * The eager loop as a user writes it: zeroGrad, forward, loss, backward, step, scheduler.step; and the lecture in it. Used
 * by the drivers native_eager.ts and reference.ts, which differ in the kernels underneath.
 */
import { type data, nn, noGrad, random, type Tensor } from 'anneal'
import type { LectureTrial, StepTrial } from '../trials.js'
import {
  type lectureLoaders,
  lossOf,
  modelOf,
  type Optimizer,
  optimizerOf,
  QwertyNet,
  schedulerOf,
  setsOf,
  version,
} from './anneal.js'
import { microseconds, runsPerBlock, timed, warmUp, writeAnswer } from './driver.js'

type Model = nn.Module & { forward(x: Tensor): Tensor }
type Batches = Iterable<readonly Tensor[]>

/** step(x, y) does one update and returns its loss. */
function stepOf(model: Model, optimizer: Optimizer, criterion: nn.Loss, scheduler?: { step(): void }) {
  return (x: Tensor, y: Tensor): Tensor => {
    optimizer.zeroGrad()
    const loss = criterion.forward(model.forward(x), y)
    loss.backward()
    optimizer.step()
    scheduler?.step()
    return loss
  }
}

/** `steps` batches, epoch after epoch. */
function* cycle(batches: Batches, steps: number): Generator<readonly Tensor[]> {
  for (let left = steps; left > 0; ) {
    for (const batch of batches) {
      if (left-- === 0) return
      yield batch
    }
  }
}

/** Runs a part of the loop, possibly with another emitter around it. */
export type Inside = <T>(fn: () => T) => T

/** Checks the loss of the first steps, warms up, times five blocks. */
export async function measureSteps(trial: StepTrial, seconds: number, inside: Inside = fn => fn()): Promise<void> {
  const model = modelOf(trial)
  const optimizer = optimizerOf(model.parameters(), trial.optimizer)
  const step = stepOf(model, optimizer, lossOf(trial), schedulerOf(optimizer, trial.schedule))
  const sets = setsOf(trial)
  const inOrder = [...cycle(sets.check, trial.checkSteps)]
  let check = 0
  const train = (batches: Batches) => {
    for (const [x, y] of batches) check += inside(() => step(x, y).item())
  }
  const coldMs = (await microseconds(() => train(inOrder.slice(0, 1)))) / 1000
  train(inOrder.slice(1))

  // Without shuffling the batches are made before the clock starts, as in the peers: the loop alone is measured.
  const batches: Batches = trial.shuffle ? sets.train : [...sets.train]
  const run = (steps: number) => {
    inside(() => {
      for (const [x, y] of cycle(batches, steps)) step(x, y)
    })
  }
  const steps = Math.max(2, runsPerBlock(seconds, await warmUp(run)))
  const figures = await timed(() => run(steps), steps)
  writeAnswer({ version, unit: 'us', ...figures, check: check / trial.checkSteps, coldMs, settings: { threads: 1 } })
}

function trainEpoch(batches: data.DataLoader, model: Model, step: (x: Tensor, y: Tensor) => Tensor): number {
  model.train()
  let total = 0
  for (const [x, y] of batches) total += step(x, y).item()
  return total / batches.length
}

function testEpoch(batches: data.DataLoader, model: Model, criterion: nn.Loss): { loss: number; correct: number } {
  model.eval()
  let loss = 0
  let correct = 0
  noGrad(() => {
    for (const [x, y] of batches) {
      const logits = model.forward(x)
      loss += criterion.forward(logits, y).item()
      const best = logits.argmax(1).data
      for (let i = 0; i < best.length; i++) if (best[i] === y.data[i]) correct++
    }
  })
  return { loss: loss / batches.length, correct }
}

/** One run of the lecture; returns the last epoch's training loss. */
export function lecture(
  trial: LectureTrial,
  { train, test }: ReturnType<typeof lectureLoaders>,
  decay: boolean,
): number {
  random.manualSeed(0)
  const model = new QwertyNet()
  const optimizer = optimizerOf(model.parameters(), trial.optimizer)
  const criterion = new nn.CrossEntropyLoss()
  const step = stepOf(model, optimizer, criterion, decay ? schedulerOf(optimizer, trial.schedule) : undefined)
  const history: { train: number; loss: number; correct: number }[] = []
  for (let epoch = 0; epoch < trial.epochs; epoch++) {
    history.push({ train: trainEpoch(train, model, step), ...testEpoch(test, model, criterion) })
  }
  return history[history.length - 1].train
}

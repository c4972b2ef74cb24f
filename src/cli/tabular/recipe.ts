/** Models, optimizers and schedules by the names that the command line has for them. Not here: data (prepared.ts). */

import { lrScheduler, nn, optim } from '../../index.js'
import type { Settings } from './settings.js'

type OptimizerClass = new (params: readonly nn.Parameter[], options: object) => optim.Optimizer

/** Those that learn from one gradient per step and take matrices and vectors alike. */
const optimizers: ReadonlyMap<string, OptimizerClass> = new Map(
  Object.entries(optim)
    .filter(
      ([name, value]) => (value as OptimizerClass).prototype instanceof optim.Optimizer && name !== 'ScheduleFree',
    )
    .filter(([name]) => name !== 'LBFGS' && name !== 'Muon')
    .map(([name, value]) => [name.toLowerCase(), value as unknown as OptimizerClass]),
)

export const optimizerNames = [...optimizers.keys()]

type MakeSchedule = (optimizer: optim.Optimizer, lr: number, updates: number) => lrScheduler.LRScheduler | undefined

/** Whether there is a momentum, or beta1, that can run against the rate. */
function hasMomentum({ paramGroups: [group] }: optim.Optimizer): boolean {
  return group.betas !== undefined || ((group.momentum as number | undefined) ?? 0) > 0
}

const schedules: Readonly<Record<string, MakeSchedule>> = {
  onecycle: (optimizer, maxLr, totalSteps) =>
    new lrScheduler.OneCycleLR(optimizer, { maxLr, totalSteps, cycleMomentum: hasMomentum(optimizer), hold: true }),
  cosine: (optimizer, _, tMax) => new lrScheduler.CosineAnnealingLR(optimizer, { tMax }),
  linear: (optimizer, _, totalIters) =>
    new lrScheduler.LinearLR(optimizer, { startFactor: 1, endFactor: 0, totalIters }),
  step: (optimizer, _, updates) => new lrScheduler.StepLR(optimizer, { stepSize: Math.ceil(updates / 3), gamma: 0.1 }),
  plateau: optimizer => new lrScheduler.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 5 }),
  none: () => undefined,
}

export const scheduleNames = Object.keys(schedules)

/** A perceptron: hidden layers with ReLU, and dropout where it is asked for. */
export function makeModel(inputs: number, outputs: number, { hidden, dropout }: Pick<Settings, 'hidden' | 'dropout'>) {
  const layers = hidden.flatMap((width, i) => [
    new nn.Linear(i === 0 ? inputs : hidden[i - 1], width),
    new nn.ReLU(),
    ...(dropout > 0 ? [new nn.Dropout({ p: dropout })] : []),
  ])
  return new nn.Sequential(...layers, new nn.Linear(hidden.at(-1) ?? inputs, outputs))
}

export function makeOptimizer(
  model: nn.Module,
  { optimizer, weightDecay }: Pick<Settings, 'optimizer' | 'weightDecay'>,
  lr: number,
): optim.Optimizer {
  const Optimizer = optimizers.get(optimizer)!
  const momentum = optimizer === 'sgd' && { momentum: 0.9 }
  return new Optimizer(model.parameters(), { lr, ...momentum, ...(weightDecay !== undefined && { weightDecay }) })
}

/** The schedule by this name over so many updates; undefined for `none`. */
export function makeSchedule(name: string, optimizer: optim.Optimizer, lr: number, updates: number) {
  return schedules[name](optimizer, lr, Math.max(1, updates))
}

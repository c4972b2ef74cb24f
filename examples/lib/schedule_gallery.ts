/**
 * One configuration of every schedule: the pictures of docs/schedules.md, and the rows of the table test. A new schedule
 * is one row here. Not here: any expectation.
 */

import { lrScheduler as lr, report } from 'anneal'

/** A schedule to try and to draw. */
export interface GalleryEntry {
  /** The class. */
  name: string
  make: (optimizer: lr.Schedulable) => lr.LRScheduler
  /** Metrics for a schedule that needs them, one per step. */
  metrics?: number[]
  /** An option is a function, so that there is no JSON of it. */
  hasFunction?: boolean
}

/** How many updates a picture shows. */
export const gallerySteps = 100

/** An optimizer as a picture starts from; its rate is 0.1. */
export function galleryOptimizer(groups = 1): { paramGroups: lr.ScheduledGroup[] } {
  const group = (i: number) => ({ lr: 0.1 / 3 ** i, momentum: 0.9, weightDecay: 0.01 })
  return { paramGroups: Array.from({ length: groups }, (_, i) => group(i)) }
}

/** The picture of a schedule, beside docs/schedules.md. */
export function galleryFile(name: string): string {
  const words = name.match(/LR|SWA|REX|[A-Z][a-z]+/g) as string[]
  return `schedules/${words.join('_').toLowerCase()}.svg`
}

/** A loss that falls, stalls, falls and stalls again. */
const losses = Array.from(
  { length: gallerySteps },
  (_, t) => Math.max(0.5, 1 - t / 40) - (t > 50 ? Math.min(0.2, (t - 50) / 100) : 0),
)

export const scheduleGallery: GalleryEntry[] = [
  { name: 'LambdaLR', make: o => new lr.LambdaLR(o, { lrLambda: t => 0.95 ** t }), hasFunction: true },
  {
    name: 'MultiplicativeLR',
    make: o => new lr.MultiplicativeLR(o, { lrLambda: t => (t % 2 ? 0.9 : 1) }),
    hasFunction: true,
  },
  { name: 'StepLR', make: o => new lr.StepLR(o, { stepSize: 25, gamma: 0.5 }) },
  { name: 'MultiStepLR', make: o => new lr.MultiStepLR(o, { milestones: [40, 70, 90], gamma: 0.3 }) },
  { name: 'ConstantLR', make: o => new lr.ConstantLR(o, { factor: 0.25, totalIters: 20 }) },
  { name: 'LinearLR', make: o => new lr.LinearLR(o, { startFactor: 0.1, totalIters: 40 }) },
  { name: 'ExponentialLR', make: o => new lr.ExponentialLR(o, { gamma: 0.96 }) },
  { name: 'PolynomialLR', make: o => new lr.PolynomialLR(o, { totalIters: 100, power: 2 }) },
  { name: 'CosineAnnealingLR', make: o => new lr.CosineAnnealingLR(o, { tMax: 100, etaMin: 0.001 }) },
  { name: 'CosineAnnealingWarmRestarts', make: o => new lr.CosineAnnealingWarmRestarts(o, { t0: 15, tMult: 2 }) },
  {
    name: 'CyclicLR',
    make: o => new lr.CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 10, stepSizeDown: 15, mode: 'triangular2' }),
  },
  { name: 'OneCycleLR', make: o => new lr.OneCycleLR(o, { maxLr: 0.1, totalSteps: 100 }) },
  {
    name: 'ReduceLROnPlateau',
    make: o => new lr.ReduceLROnPlateau(o, { factor: 0.4, patience: 5, cooldown: 2 }),
    metrics: losses,
  },
  {
    name: 'SequentialLR',
    make: o => {
      const schedulers = [
        new lr.LinearLR(o, { startFactor: 0.01, totalIters: 15 }),
        new lr.ExponentialLR(o, { gamma: 0.97 }),
        new lr.ReduceLROnPlateau(o, { factor: 0.5, patience: 4 }),
      ]
      return new lr.SequentialLR(o, { schedulers, milestones: [15, 60] })
    },
    metrics: losses,
  },
  {
    name: 'ChainedScheduler',
    make: o => {
      const rate = [new lr.ExponentialLR(o, { gamma: 0.98 }), new lr.ConstantLR(o, { factor: 0.5, totalIters: 30 })]
      return new lr.ChainedScheduler([...rate, new lr.PolynomialLR(o, { totalIters: 90, param: 'weightDecay' })])
    },
  },
  { name: 'SWALR', make: o => new lr.SWALR(o, { swaLr: 0.02, annealEpochs: 50 }) },
  { name: 'InverseTimeLR', make: o => new lr.InverseTimeLR(o, { k: 0.05 }) },
  { name: 'InverseSqrtLR', make: o => new lr.InverseSqrtLR(o, { warmupSteps: 15 }) },
  { name: 'NoamLR', make: o => new lr.NoamLR(o, { dModel: 64, warmupSteps: 30 }) },
  {
    name: 'WarmupLR',
    make: o => {
      const schedule = new lr.CosineAnnealingLR(o, { tMax: 80, hold: true })
      return new lr.WarmupLR(o, { steps: 20, mode: 'exponential', schedule })
    },
  },
  {
    name: 'WarmupStableDecayLR',
    make: o => new lr.WarmupStableDecayLR(o, { totalSteps: 100, warmupSteps: 10, decaySteps: 30, cooldown: '1-sqrt' }),
  },
  { name: 'LinearToZeroLR', make: o => new lr.LinearToZeroLR(o, { totalSteps: 100, warmupSteps: 10 }) },
  { name: 'REXLR', make: o => new lr.REXLR(o, { totalSteps: 100 }) },
]

/** The options that a picture was made with, as far as they are plain and not the defaults. */
function optionsText({ hasFunction }: GalleryEntry, scheduler: lr.LRScheduler): string {
  if (hasFunction) return ''
  const defaults = scheduler.spec.options as Record<string, { default?: unknown }>
  return Object.entries(scheduler.toJSON().options)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name]?.default))
    .filter(([, value]) => !JSON.stringify(value).includes('{'))
    .map(([name, value]) => `${name} ${value}`.replaceAll(',', ', '))
    .join('; ')
}

/** The picture of a schedule: the rates of 100 updates. */
export function drawSchedule(entry: GalleryEntry): Promise<report.Chart> {
  const scheduler = entry.make(galleryOptimizer())
  const values = scheduler.preview(gallerySteps, entry.metrics).map(([rate]) => rate)
  const subtitle = optionsText(entry, scheduler)
  return report.lineChart({
    title: entry.name,
    ...(subtitle && { subtitle }),
    xLabel: 'update',
    yLabel: 'learning rate',
    width: 560,
    height: 260,
    series: [{ name: entry.name, points: values.map((rate, t) => [t, rate] as const), step: true }],
  })
}

/**
 * The trials: what is measured, as data. Every contender gets one of these objects as JSON and nothing else, so that all
 * of them do the same work. How a contender does it is its driver's business (drivers/), when it runs the runner's.
 */

export type OptimizerSpec =
  | { name: 'sgd'; lr: number; momentum?: number }
  | { name: 'adam'; lr: number; betas?: [number, number]; eps?: number }
  | { name: 'adamw'; lr: number; weightDecay: number }

export interface ScheduleSpec {
  stepSize: number
  gamma: number
}

/** What follows the Linear of every hidden layer, in this order. */
export interface HiddenSpec {
  norm?: 'layer' | 'batch'
  activation: 'relu' | 'gelu' | 'silu' | 'tanh'
  dropout?: number
  /** A layer as wide as its input adds it to what comes out. */
  residual?: boolean
}

/** On what the last Linear gives; bce: binary cross-entropy of logits. mse and bce have a target of [rows, 1]. */
export type LossSpec = { name: 'crossEntropy'; labelSmoothing?: number } | { name: 'mse' } | { name: 'bce' }

/** Training steps of a stack of layers (Linear and what `hidden` says, ..., Linear, the loss) on shuffled rows of a resident set. */
export interface StepTrial {
  kind: 'step'
  name: string
  /** Features, hidden widths, outputs. */
  widths: number[]
  hidden: HiddenSpec
  loss: LossSpec
  batch: number
  rows: number
  /**
   * Rows in a new order each epoch, gathered batch by batch. Without it an eager loop gets batches made beforehand, and
   * with as many rows as one batch nothing is gathered by anyone.
   */
  shuffle: boolean
  optimizer: OptimizerSpec
  schedule?: ScheduleSpec
  /** The mean loss of this many first steps, rows in order, must agree between the contenders. */
  checkSteps: number
}

/** The first epoch of a fresh process on these steps, from the call to the end, and the memory that it adds to the set's. */
export interface ColdTrial {
  kind: 'cold'
  name: string
  step: StepTrial
}

/** The lecture: two runs (StepLR, static) of `epochs` epochs with evaluation after each; the time is that of both. */
export interface LectureTrial {
  kind: 'lecture'
  name: string
  batch: number
  epochs: number
  /** Centres of the three clouds of 300 points. */
  means: [number, number][]
  optimizer: OptimizerSpec
  schedule: ScheduleSpec
  /** Milliseconds of runs between the cold pair and the timed ones. */
  warmUpMs: number
  /** Timed pairs of runs. */
  repeats: number
}

/** One product: m rows of the batch, k inputs, n outputs. */
export interface ProductTrial {
  kind: 'product'
  name: string
  product: 'forward' | 'dw' | 'dx'
  m: number
  n: number
  k: number
}

/** Predictions of a multi-layer perceptron for so many rows at a time, again and again with the same weights. */
export interface PredictTrial {
  kind: 'predict'
  name: string
  /** Features, hidden widths, outputs. */
  widths: number[]
  rows: number
}

/** The steps of another trial on as many threads as are asked for, beside the same on one. */
export interface ScalingTrial {
  kind: 'scaling'
  name: string
  step: StepTrial
}

/** The steps of another trial shared by the ranks of an MPI job, one thread each, beside one process's threads. */
export interface RanksTrial {
  kind: 'ranks'
  name: string
  ranks: number
  step: StepTrial
}

/** A point of a growth curve: steps where one size differs from point to point. */
export interface GrowthTrial {
  kind: 'growth'
  name: string
  curve: 'rows' | 'batch' | 'width' | 'depth'
  /** The size that differs. */
  value: number
  step: StepTrial
}

export type Trial =
  | StepTrial
  | ColdTrial
  | LectureTrial
  | ProductTrial
  | PredictTrial
  | ScalingTrial
  | RanksTrial
  | GrowthTrial

/** The training steps that a trial consists of, if it is of such. */
export function stepOf(trial: Trial): StepTrial | undefined {
  if (trial.kind === 'step') return trial
  return 'step' in trial ? trial.step : undefined
}

// Small, because a contender that is fast trains far in its time: at 0.01 the small nets end up so sure of their rows that
// probabilities are denormal, which is slow wherever they are not flushed to zero.
const SGD: OptimizerSpec = { name: 'sgd', lr: 0.0001 }
const MOMENTUM: OptimizerSpec = { name: 'sgd', lr: 0.0001, momentum: 0.9 }
const ADAM: OptimizerSpec = { name: 'adam', lr: 0.00001 }
const ADAMW: OptimizerSpec = { name: 'adamw', lr: 0.001, weightDecay: 0.01 }

/** The plain perceptron's hidden layers. */
export const RELU: HiddenSpec = { activation: 'relu' }

function step(widths: number[], batch: number, rows: number, more: Partial<StepTrial> = {}): StepTrial {
  const net = { widths, hidden: RELU, loss: { name: 'crossEntropy' as const } }
  const training = { batch, rows, shuffle: true, optimizer: SGD, checkSteps: 20 }
  return { kind: 'step', name: widths.join('-'), ...net, ...training, ...more }
}

const STEPS: StepTrial[] = [
  // The lecture's net. Its own gamma of 0.5 would reach denormal rates within a second of measuring.
  step([2, 8, 3], 32, 720, { schedule: { stepSize: 115, gamma: 0.9999 } }),
  // The loop alone, its batches made beforehand: what a call into the library costs.
  step([2, 8, 3], 32, 720, { name: '2-8-3 loop only', shuffle: false, schedule: { stepSize: 115, gamma: 0.9999 } }),
  step([64, 32, 10], 64, 1797),
  step([784, 128, 10], 128, 60000),
  step([784, 128, 10], 128, 128, { name: '784-128-10 fixed batch', shuffle: false }),
  step([784, 128, 10], 128, 60000, { name: '784-128-10 Adam', optimizer: ADAM }),
  step([784, 256, 128, 10], 128, 60000),
  step([784, 1024, 1024, 10], 256, 60000),
  step([784, 1024, 1024, 10], 256, 60000, { name: '784-1024-1024-10 momentum', optimizer: MOMENTUM }),
  step([784, 1024, 1024, 10], 256, 60000, { name: '784-1024-1024-10 Adam', optimizer: ADAM }),
  // A classifier on top of sentence embeddings.
  step([1536, 512, 10], 256, 30000),
]

/** What people train today, small enough for a CPU. */
const MODERN: StepTrial[] = [
  step([64, 256, 256, 256, 10], 256, 30000, {
    name: '3x256 LayerNorm GELU',
    hidden: { norm: 'layer', activation: 'gelu' },
    optimizer: ADAMW,
  }),
  step([64, 128, 128, 128, 128, 128, 10], 64, 30000, {
    name: '4x128 residual SiLU',
    hidden: { activation: 'silu', residual: true },
    optimizer: ADAM,
  }),
  // A head on sentence embeddings.
  step([768, 256, 100], 32, 30000, {
    name: '768-256-100 smoothing',
    loss: { name: 'crossEntropy', labelSmoothing: 0.1 },
    optimizer: ADAM,
  }),
  // Rows of a table: one probability, one number.
  step([30, 128, 128, 1], 64, 30000, {
    name: '30-128-128-1 BatchNorm Dropout',
    hidden: { norm: 'batch', activation: 'relu', dropout: 0.2 },
    loss: { name: 'bce' },
    optimizer: ADAMW,
  }),
  step([13, 64, 64, 1], 16, 1600, {
    name: '13-64-64-1 tanh',
    hidden: { activation: 'tanh' },
    loss: { name: 'mse' },
    optimizer: ADAM,
  }),
  step([64, 32, 10], 1, 1797, { name: '64-32-10 batch 1' }),
]

/** Below this much arithmetic a step takes less than 200 µs at the peak of a fast core, and a second thread has nothing to gain. */
const WORTH_THREADS = 2.5e7

const SCALING: ScalingTrial[] = [...STEPS, ...MODERN]
  .filter(trial => flops(trial)! >= WORTH_THREADS && trial.shuffle)
  .map(trial => ({ kind: 'scaling', name: `threads: ${trial.name}`, step: trial }))

function grown(
  curve: GrowthTrial['curve'],
  values: readonly number[],
  stepAt: (value: number) => StepTrial,
): GrowthTrial[] {
  return values.map(value => ({ kind: 'growth', name: `growth: ${curve} ${value}`, curve, value, step: stepAt(value) }))
}

/** Rows of a batch times the steps of the check. */
const GROWN_ROWS = 20480

const GROWTH: GrowthTrial[] = [
  ...grown('rows', [1280, 5120, 20480, 81920, 327680, 1310720], rows => step([64, 32, 10], 64, rows)),
  ...grown('batch', [1, 4, 16, 64, 256, 1024], batch => step([784, 128, 10], batch, GROWN_ROWS)),
  ...grown('width', [16, 64, 256, 1024], width => step([64, width, width, 10], 128, GROWN_ROWS)),
  ...grown('depth', [1, 2, 4, 8, 16, 32], depth => step([64, ...Array(depth).fill(128), 10], 128, GROWN_ROWS)),
]

const COLD: ColdTrial = { kind: 'cold', name: '784-128-10 first epoch', step: step([784, 128, 10], 128, 60000) }

const LECTURE: LectureTrial = {
  kind: 'lecture',
  name: 'lecture',
  batch: 32,
  epochs: 20,
  means: [
    [2, 1],
    [-2, 1],
    [0, -3],
  ],
  optimizer: SGD,
  schedule: { stepSize: 115, gamma: 0.5 },
  warmUpMs: 1000,
  repeats: 20,
}

/** The layers of the nets above, and a wide layer at a small batch. */
const SHAPES: [m: number, n: number, k: number][] = [
  [64, 32, 64],
  [128, 128, 784],
  [128, 256, 784],
  [128, 128, 256],
  [256, 1024, 784],
  [256, 1024, 1024],
  [256, 512, 1536],
  [256, 10, 1024],
  [32, 1024, 1024],
]

const PRODUCTS: ProductTrial[] = SHAPES.flatMap(([m, n, k]) =>
  (['forward', 'dw', 'dx'] as const).map(product => ({
    kind: 'product' as const,
    name: `${product} ${m}x${n}x${k}`,
    product,
    m,
    n,
    k,
  })),
)

/** A head on embeddings and a net that is larger than the second cache, for one request, a few and a table. */
const SERVED: number[][] = [
  [384, 128, 10],
  [784, 1024, 1024, 10],
]

const PREDICTIONS: PredictTrial[] = SERVED.flatMap(widths =>
  [1, 8, 32, 1000].map(rows => ({ kind: 'predict' as const, name: `${widths.join('-')} x ${rows}`, widths, rows })),
)

/** A net and a batch that are large enough to share. */
const SHARED = step([784, 1024, 1024, 10], 1024, 60000)

const RANKS: RanksTrial[] = [1, 2, 4].map(ranks => ({
  kind: 'ranks',
  name: `ranks: ${SHARED.name} on ${ranks}`,
  ranks,
  step: SHARED,
}))

export const trials: readonly Trial[] = [
  ...STEPS,
  ...MODERN,
  COLD,
  LECTURE,
  ...PRODUCTS,
  ...PREDICTIONS,
  ...SCALING,
  ...RANKS,
  ...GROWTH,
]

/** What a driver must know for this trial beyond Linear layers. */
export function featuresOf({ hidden, loss, optimizer }: StepTrial): string[] {
  const { norm, activation, dropout, residual } = hidden
  const smoothing = loss.name === 'crossEntropy' && loss.labelSmoothing ? ['label smoothing'] : []
  const parts = [optimizer.name, norm && `${norm} norm`, activation, dropout && 'dropout', residual && 'residual']
  return [...parts.flatMap(part => part || []), loss.name, ...smoothing]
}

/** The numbers of a net's weights, layer by layer. */
function weightsOf(widths: readonly number[]): number[] {
  return widths.slice(1).map((width, i) => width * widths[i])
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/** Steps that the time of a trial is of: an epoch's, of whole batches, or one. */
function stepsIn({ kind }: Trial, { rows, batch }: StepTrial): number {
  return kind === 'cold' ? Math.floor(rows / batch) : 1
}

/**
 * Arithmetic of one step, epoch or product, a multiply-add counted as two: 2·m·n·k per product, three products per layer, no
 * input gradient for the first. Activations, loss and update are left out, so a fraction of the peak is on the low side.
 */
export function flops(trial: Trial): number | undefined {
  if (trial.kind === 'product') return 2 * trial.m * trial.n * trial.k
  if (trial.kind === 'predict') return 2 * trial.rows * total(weightsOf(trial.widths))
  const step = stepOf(trial)
  return (
    step &&
    stepsIn(trial, step) * 2 * step.batch * total(weightsOf(step.widths).map((size, i) => size * (i === 0 ? 2 : 3)))
  )
}

/**
 * Least traffic of one step, epoch or product in bytes, everything touched once from beyond the first-level cache: the gathered
 * rows read and written, each weight read by its products and written by the update (optimizer state read and written),
 * activations and their gradients written and read.
 */
export function bytes(trial: Trial): number | undefined {
  if (trial.kind === 'product') return 4 * (trial.m * trial.n + trial.n * trial.k + trial.m * trial.k)
  if (trial.kind === 'predict') return 4 * (total(weightsOf(trial.widths)) + 2 * trial.rows * total(trial.widths))
  const step = stepOf(trial)
  if (!step) return undefined
  const { widths, batch, optimizer, shuffle } = step
  const slots = optimizer.name !== 'sgd' ? 2 : optimizer.momentum ? 1 : 0
  const weights = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i] * (i === 0 ? 3 : 4), 0)
  const state = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i] * 2 * slots, 0)
  const gather = shuffle ? 2 * batch * widths[0] : 0
  const inputs = 2 * batch * widths[0]
  const activations = 6 * batch * widths.slice(1).reduce((sum, width) => sum + width, 0)
  return stepsIn(trial, step) * 4 * (weights + state + gather + inputs + activations)
}

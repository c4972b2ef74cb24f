/** The drivers do the work they claim: a rival that trains wrongly would be an unfair comparison, whoever it favours. */
import { random, type Tensor } from 'anneal'
import { describe, expect, test } from 'vitest'
import { checkEpochs, lossOf, modelOf, optimizerOf, schedulerOf, setsOf } from '../bench/drivers/anneal.js'
import { dataset, layers, uniform } from '../bench/drivers/data.js'
import { runsPerBlock, timed } from '../bench/drivers/driver.js'
import { crossEntropy, makeStep } from '../bench/drivers/plain_js.js'
import { runDriver } from '../bench/harness/process.js'
import { programOf } from '../bench/harness/programs.js'
import { chooseContenders } from '../bench/harness/request.js'
import { type HiddenSpec, type LossSpec, type OptimizerSpec, type StepTrial, trials } from '../bench/trials.js'
import { full } from './helpers/campaign.js'

const small: StepTrial = {
  kind: 'step',
  name: 'small',
  widths: [5, 7, 6, 3],
  hidden: { activation: 'relu' },
  loss: { name: 'crossEntropy' },
  batch: 4,
  rows: 24,
  shuffle: true,
  optimizer: { name: 'sgd', lr: 0.1 },
  checkSteps: 6,
}

describe('data', () => {
  test('is the finaliser of MurmurHash3, in every language', () => {
    // fmix32(1) = 0x514e28b7 and fmix32(2) = 0x30f4c306; the upper 24 bits are kept.
    expect([...uniform(3)]).toEqual([0, 0x514e28 / 2 ** 24, 0x30f4c3 / 2 ** 24])
    expect([...uniform(2, 1)]).toEqual([...uniform(3)].slice(1))
  })

  test('has variance one and a class per band of the first feature', () => {
    const { x, y } = dataset({ ...small, rows: 4000 })
    const square = x.reduce((sum, value) => sum + value * value, 0) / x.length
    expect(square).toBeCloseTo(1, 1)
    expect(new Set(y)).toEqual(new Set([0, 1, 2]))
    expect(y[0]).toBe(0)
  })

  test('starts the layers within 1/sqrt(fanIn), each from its own part of the stream', () => {
    const [first, second] = layers(small)
    expect(Math.max(...first.weight.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(5))
    expect(first.weight).toHaveLength(35)
    expect(second.bias).toHaveLength(6)
    expect(first.weight[0] * Math.sqrt(5)).not.toBeCloseTo(second.weight[0] * Math.sqrt(7), 5)
  })
})

/** Losses of the check's steps by the package's own eager loop. */
function eagerLosses(trial: StepTrial): number[] {
  const model = modelOf(trial)
  const optimizer = optimizerOf(model.parameters(), trial.optimizer)
  const scheduler = schedulerOf(optimizer, trial.schedule)
  const criterion = lossOf(trial)
  const step = ([x, y]: readonly Tensor[]) => {
    optimizer.zeroGrad()
    const loss = criterion.forward(model.forward(x), y)
    loss.backward()
    optimizer.step()
    scheduler?.step()
    return loss.item()
  }
  return [...setsOf(trial).check].map(step)
}

describe('plain_js', () => {
  const sgd: OptimizerSpec[] = [
    { name: 'sgd', lr: 0.1 },
    { name: 'sgd', lr: 0.1, momentum: 0.9 },
  ]

  test.each(sgd)('trains like the eager loop: %o', optimizer => {
    const trial = { ...small, optimizer }
    const step = makeStep(trial)
    const rows = Int32Array.from({ length: trial.rows }, (_, i) => i)
    const losses = Array.from({ length: trial.checkSteps }, (_, i) => step(rows, i * trial.batch, optimizer.lr))
    const eager = eagerLosses(trial)
    expect(losses).toHaveLength(eager.length)
    for (let i = 0; i < losses.length; i++) expect(losses[i]).toBeCloseTo(eager[i], 5)
  })

  test('has no Adam and says so', () => {
    expect(() => makeStep({ ...small, optimizer: { name: 'adam', lr: 0.1 } })).toThrow('expected sgd but received adam')
  })

  test('cross-entropy: loss and gradient by hand', () => {
    const grad = new Float32Array(4)
    const loss = crossEntropy(Float32Array.of(0, 0, 1000, 0), Int32Array.of(1, 0), 2, grad)
    expect(loss).toBeCloseTo(Math.LN2 / 2, 6)
    expect([...grad]).toEqual([0.25, -0.25, 0, 0])
  })
})

describe('tfjs', () => {
  const schedule = { stepSize: 2, gamma: 0.5 }
  const optimizers: OptimizerSpec[] = [
    { name: 'sgd', lr: 0.1 },
    { name: 'sgd', lr: 0.1, momentum: 0.9 },
    { name: 'adam', lr: 0.01 },
  ]
  const ways = chooseContenders(['tfjs-cpu-minimize', 'tfjs-cpu-layers'])

  test.each(ways.flatMap(way => optimizers.map(optimizer => ({ way, optimizer }))))(
    '$way.name trains like the eager loop: $optimizer',
    async ({ way, optimizer }) => {
      const trial: StepTrial = { ...small, optimizer, schedule }
      const program = programOf(way)
      if ('missing' in program) throw new Error(program.missing)
      const answer = await runDriver(program.command(trial, 1, 0.01), { threads: 1, cpus: [] })
      const losses = eagerLosses(trial)
      expect(answer.check).toBeCloseTo(losses.reduce((a, b) => a + b) / losses.length, 5)
      expect(answer.samples.every(us => us > 0)).toBe(true)
    },
  )
})

describe('nets of normalised, residual and dropping layers', () => {
  const adamw: OptimizerSpec = { name: 'adamw', lr: 0.01, weightDecay: 0.1 }
  const nets: { hidden: HiddenSpec; loss: LossSpec; widths: number[] }[] = [
    {
      hidden: { norm: 'layer', activation: 'gelu' },
      loss: { name: 'crossEntropy', labelSmoothing: 0.1 },
      widths: [5, 7, 3],
    },
    { hidden: { norm: 'batch', activation: 'silu', residual: true }, loss: { name: 'bce' }, widths: [5, 6, 6, 1] },
    { hidden: { activation: 'tanh' }, loss: { name: 'mse' }, widths: [5, 6, 1] },
  ]
  const trialOf = (net: (typeof nets)[number]): StepTrial => ({ ...small, ...net, optimizer: adamw })

  test('are built as they are described', () => {
    const hidden: HiddenSpec = { norm: 'batch', activation: 'silu', dropout: 0.2, residual: true }
    random.manualSeed(0)
    const names = modelOf({ widths: [5, 6, 6, 1], hidden })
      .modules()
      .map(module => module.constructor.name)
    const layer = ['Linear', 'BatchNorm1d', 'SiLU', 'Dropout']
    expect(names).toEqual(['Sequential', ...layer, 'Residual', 'Sequential', ...layer, 'Linear'])
  })

  test('have targets of their loss', () => {
    const [, bce, mse] = nets.map(net => dataset(trialOf(net)))
    expect(new Set(bce.y)).toEqual(new Set([0, 1]))
    expect(bce.y).toBeInstanceOf(Float32Array)
    expect([...mse.y]).toEqual(Array.from(mse.y, (_, row) => mse.x[row * 5]))
  })

  const python = full && process.env.ANNEAL_PYTHON
  const title = `train in Python like the eager loop (${python ? 'found' : 'skipped: no test:full with ANNEAL_PYTHON'})`
  test.skipIf(!python).each(nets.flatMap(net => ['torch-eager', 'jax-scan'].map(driver => ({ driver, net }))))(
    `${title}: $driver $net`,
    { timeout: 120_000 },
    async ({ driver, net }) => {
      const trial = trialOf(net)
      const program = programOf(chooseContenders([driver])[0])
      if ('missing' in program) throw new Error(program.missing)
      const answer = await runDriver(program.command(trial, 1, 0.01), { threads: 1, cpus: [] })
      const losses = eagerLosses(trial)
      expect(answer.check).toBeCloseTo(losses.reduce((a, b) => a + b) / losses.length, 4)
    },
  )
})

test('the check is as many steps for fit as for the loops', () => {
  for (const trial of trials.filter(({ kind }) => kind === 'step') as StepTrial[]) {
    const rows = Math.min(trial.rows, trial.checkSteps * trial.batch)
    expect(checkEpochs(trial) * Math.floor(rows / trial.batch), trial.name).toBe(trial.checkSteps)
  }
})

test('blocks fill the asked time', async () => {
  expect(runsPerBlock(1, 100)).toBe(2000)
  expect(runsPerBlock(1, 1e9)).toBe(1)
  let runs = 0
  const { samples, busy, steps } = await timed(() => runs++, 10, 3)
  expect([runs, samples.length, steps]).toEqual([3, 3, 10])
  expect(busy).toBeGreaterThanOrEqual(0)
})

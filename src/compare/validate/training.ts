/**
 * Whole training runs: nets of three sizes, SGD 0.01, from equal weights on equal batches, against another backend, which
 * is float64 unless asked otherwise. Every step is compared twice: from that backend's weights before this step, and along
 * the trajectory of its own.
 */

import type { Batch } from '../../engine/batch.js'
import type { BatchResult, Trainer } from '../../engine/trainer.js'
import * as nn from '../../nn/index.js'
import { SGD } from '../../optim/index.js'
import { defaultGenerator } from '../../streams/index.js'
import { Tensor } from '../../tensor/index.js'
import type { Backend } from '../backend.js'
import { reference } from '../eager.js'
import { Draw } from './draw.js'
import { noVerdict, ulp, type Verdict } from './judge.js'
import type { Case, Subject } from './subject.js'

/** Relative error that a loss may have from equal weights, and that losses and weights may have along a trajectory. */
const STEP = 1e-5
const TRAJECTORY = 1e-4

interface Net {
  readonly widths: readonly [inputs: number, hidden: number, classes: number]
  readonly batch: number
}

const nets: readonly Net[] = [
  { widths: [2, 8, 3], batch: 32 },
  { widths: [64, 32, 10], batch: 64 },
  { widths: [784, 128, 10], batch: 128 },
]

/** How many steps a backend is to do of a net. */
type Steps = (net: Net, backend: Backend) => number

/** Plain JavaScript does fewer of the large net. */
const usualSteps: Steps = ({ widths: [inputs] }, { isa }) => (isa === 'none' && inputs > 100 ? 20 : 200)

function makeNet({ widths: [inputs, hidden, classes] }: Net, draw: Draw): nn.Sequential {
  const state = defaultGenerator.getState()
  const net = new nn.Sequential(new nn.Linear(inputs, hidden), new nn.ReLU(), new nn.Linear(hidden, classes))
  defaultGenerator.setState(state)
  for (const p of net.parameters()) p.values.set(draw.floats(p.size).map(v => v / Math.sqrt(inputs)))
  return net
}

function makeBatches({ widths: [inputs, , classes], batch: rows }: Net, draw: Draw): Batch[] {
  return Array.from({ length: 8 }, () => {
    const x = new Tensor([rows, inputs], 'float32', draw.floats(rows * inputs))
    const labels = Int32Array.from({ length: rows }, () => draw.integer(0, classes - 1))
    return { inputs: [x], target: new Tensor([rows], 'int32', labels) }
  })
}

function stepOn(trainer: Trainer, batch: Batch): BatchResult {
  const result = trainer.gradients(batch)
  trainer.update()
  return result
}

class TrainingCase implements Case {
  readonly #batches: Batch[]
  /** The true weights before each step, and that step's loss. */
  readonly #path: { weights: Float32Array[]; loss: number }[] = []
  readonly #true: { net: nn.Sequential; trainer: Trainer }

  constructor(
    private readonly net: Net,
    private readonly seed: number,
    truth: Backend,
    private readonly steps: Steps,
  ) {
    this.#batches = makeBatches(net, new Draw(seed + 1))
    this.#true = this.#start(truth)
  }

  check(backend: Backend): Verdict {
    const steps = this.steps(this.net, backend)
    const verdict = noVerdict()
    this.#extend(steps + 1)
    this.#stepByStep(backend, steps, verdict)
    this.#trajectory(backend, steps, verdict)
    return verdict
  }

  /** A net with the weights of this case. */
  #start(backend: Backend): { net: nn.Sequential; trainer: Trainer } {
    const net = makeNet(this.net, new Draw(this.seed))
    const optimizer = new SGD(net.parameters(), { lr: 0.01 })
    return { net, trainer: backend.trainer(net, { loss: new nn.CrossEntropyLoss(), optimizer }) }
  }

  #batch(step: number): Batch {
    return this.#batches[step % this.#batches.length]
  }

  #extend(steps: number): void {
    const { net, trainer } = this.#true
    for (let i = this.#path.length; i < steps; i++) {
      const weights = net.parameters().map(p => Float32Array.from(p.values))
      this.#path.push({ weights, loss: stepOn(trainer, this.#batch(i)).loss })
    }
  }

  #stepByStep(backend: Backend, steps: number, verdict: Verdict): void {
    const { net, trainer } = this.#start(backend)
    for (let i = 0; i < steps; i++) {
      const { weights, loss } = this.#path[i]
      net.parameters().forEach((p, k) => {
        p.values.set(weights[k])
      })
      trainer.load()
      const got = stepOn(trainer, this.#batch(i)).loss
      verdict.ulps = Math.max(verdict.ulps, Math.abs(got - loss) / ulp(loss))
      note(verdict, `loss of step ${i + 1} from equal weights`, loss, got, Math.abs(loss) * STEP)
    }
    trainer.dispose()
  }

  #trajectory(backend: Backend, steps: number, verdict: Verdict): void {
    const { net, trainer } = this.#start(backend)
    for (let i = 0; i < steps; i++) {
      const { loss } = this.#path[i]
      const got = stepOn(trainer, this.#batch(i)).loss
      note(verdict, `loss of step ${i + 1} of the run`, loss, got, Math.abs(loss) * TRAJECTORY)
    }
    trainer.read()
    trainer.dispose()
    net.parameters().forEach((p, k) => {
      const want = this.#path[steps].weights[k]
      const largest = want.reduce((a, w) => Math.max(a, Math.abs(w)), 0)
      for (let i = 0; i < p.size; i++) note(verdict, `weight ${k}[${i}]`, want[i], p.values[i], largest * TRAJECTORY)
    })
  }
}

function note(verdict: Verdict, what: string, want: number, got: number, allowed: number): void {
  const share = Math.abs(got - want) / allowed
  if (share <= verdict.share) return
  verdict.share = Number.isNaN(share) ? Infinity : share
  verdict.worst = `${what}: expected ${want} but received ${got}`
}

/** One run per net on each backend, compared with `truth`, whose weights must be the model's own after every step. */
export function trainingSubjects(truth: Backend = reference, steps: Steps = usualSteps): Subject[] {
  return nets.map(net => ({
    name: `train-${net.widths.join('-')}`,
    cases: 1,
    has: backend => backend !== truth,
    draw: seed => new TrainingCase(net, seed, truth, steps),
  }))
}

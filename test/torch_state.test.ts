/** State dicts of layers and optimizers go on in PyTorch, and PyTorch's go on here, with equal next steps. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nn, optim, type Tensor, tensor } from 'anneal'
import { describe, expect, it } from 'vitest'
import { camelOptions, expectClose, golden } from './helpers/golden.js'

type State = Record<string, unknown>

interface Case {
  kind: 'layers' | 'matrices' | 'embedding'
  optimizer: string
  options: Record<string, unknown>
  begin: State
  model: State
  state: State
  next: State
}

const { cases, steps }: { cases: Case[]; steps: number } = golden('torch-state.json')

/** The models of make_torch_state.py. */
const models: Record<Case['kind'], () => nn.Sequential> = {
  layers: () =>
    new nn.Sequential(
      new nn.Linear(3, 4),
      new nn.Tanh(),
      new nn.BatchNorm1d(4),
      new nn.Tanh(),
      new nn.LayerNorm(4),
      new nn.Linear(4, 2),
    ),
  matrices: () =>
    new nn.Sequential(new nn.Linear(3, 4, { bias: false }), new nn.Tanh(), new nn.Linear(4, 2, { bias: false })),
  embedding: () => new nn.Sequential(new nn.Embedding(5, 4), new nn.LayerNorm(4, { bias: false }), new nn.Linear(4, 2)),
}

/** Its inputs and targets. */
function values(rows: number, columns: number, phase: number): Tensor {
  const at = (i: number) => Math.round(Math.sin(i * 1.7 + phase) * 2000) / 1000
  return tensor(
    Float32Array.from({ length: rows * columns }, (_, i) => at(i)),
    { shape: [rows, columns] },
  )
}
const inputs = (kind: Case['kind']) =>
  kind === 'embedding' ? tensor([4, 0, 3, 3, 1, 0], { dtype: 'int32' }) : values(6, 3, 1)

class Training {
  readonly model: nn.Sequential
  readonly optimizer: optim.Optimizer

  constructor(
    private readonly given: Pick<Case, 'kind' | 'optimizer' | 'options'>,
    model: State,
    state?: State,
  ) {
    this.model = models[given.kind]()
    this.model.loadStateDict(model as nn.StateDict)
    const Class = optim[given.optimizer as 'SGD']
    this.optimizer = new Class(this.model.parameters(), camelOptions(given.options) as never)
    if (state) this.optimizer.loadStateDict(state as never)
  }

  /** As many updates as PyTorch made. */
  train(): this {
    const loss = new nn.MSELoss()
    const [x, y] = [inputs(this.given.kind), values(6, 2, 2)]
    const closure = () => {
      this.optimizer.zeroGrad()
      const value = loss.forward(this.model.forward(x), y)
      value.backward()
      return value
    }
    for (let i = 0; i < steps; i++) {
      if (this.optimizer instanceof optim.LBFGS) this.optimizer.step(closure)
      else {
        closure()
        this.optimizer.step()
      }
    }
    return this
  }

  /** What goes into a file, as JSON. */
  get saved(): { model: State; state: State } {
    return JSON.parse(JSON.stringify({ model: this.model.stateDict(), state: this.optimizer.stateDict() }))
  }
}

const numbersOf = (value: unknown): number[] => {
  const { dtype, data } = value as { dtype: string; data: string }
  const { buffer, byteOffset, byteLength } = Buffer.from(data, 'base64')
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength)
  return [...(dtype === 'int32' ? new Int32Array(bytes) : new Float32Array(bytes))]
}

const isTensor = (value: unknown) => typeof value === 'object' && value !== null && 'dtype' in value

/** Leaves of a state as numbers under their paths. */
function leaves(state: unknown, path = ''): [string, number[]][] {
  if (isTensor(state)) return [[path, numbersOf(state)]]
  if (typeof state === 'number') return [[path, [state]]]
  if (typeof state !== 'object' || state === null) return []
  return Object.entries(state).flatMap(([key, value]) => leaves(value, `${path}.${key}`))
}

/** Beyond the rounding of sums: LBFGS follows a curve in many steps, and PyTorch rounds Muon's to bfloat16. */
const tolerances: Record<string, number> = { LBFGS: 1e-3, Muon: 0.05 }

function expectSameState({ optimizer }: Case, got: unknown, want: unknown): void {
  const [own, theirs] = [got, want].map(state => new Map(leaves(state)))
  const atol = tolerances[optimizer] ?? 2e-6
  for (const [path, values] of theirs) {
    if (path.includes('.al.')) continue // scratch of LBFGS, written before it is read
    expect(own.get(path), path).toHaveLength(values.length)
    expectClose(own.get(path)!, values, atol, Math.max(atol, 2e-5))
  }
}

const title = ({ kind, optimizer, options }: Case) => `${optimizer} ${JSON.stringify(options)}, ${kind}`
const named = cases.map(found => [title(found), found] as const)

describe('a state dict of PyTorch', () => {
  it('is there for every optimizer that PyTorch has', () => {
    const here = Object.entries(optim).filter(
      ([, value]) => (value as { prototype?: unknown })?.prototype instanceof optim.Optimizer,
    )
    const ours = ['Lion', 'SGDScheduleFree', 'AdamWScheduleFree', 'ScheduleFree']
    const names = here.map(([name]) => name).filter(name => !ours.includes(name))
    expect([...new Set(cases.map(({ optimizer }) => optimizer))].sort()).toEqual(names.sort())
  })

  it.each(named)('goes on here: %s', (_, found) => {
    const ours = new Training(found, found.model, found.state)
    expectSameState(found, ours.train().saved.model, found.next)
  })
})

describe('a state dict of ours', () => {
  it.each(named)('has the keys and values of PyTorch’s: %s', (_, found) => {
    const { model, state } = new Training(found, found.begin).train().saved
    expect(Object.keys(model)).toEqual(Object.keys(found.model))
    expectSameState(found, model, found.model)
    expectSameState(found, (state as { state: unknown }).state, found.state.state)
    const [ours, theirs] = [state, found.state].map(dict => (dict.param_groups as State[])[0])
    for (const [key, value] of Object.entries(ours)) expect({ [key]: theirs[key] }).toEqual({ [key]: value })
  })

  it.skipIf(!process.env.ANNEAL_PYTHON)('goes on in PyTorch, and comes back', { timeout: 120_000 }, () => {
    const trainings = cases.map(found => new Training(found, found.begin).train())
    const sent = trainings.map(({ saved }, i) => ({ ...cases[i], ...saved }))
    const script = fileURLToPath(new URL('golden/make_torch_state.py', import.meta.url))
    const python = spawnSync(process.env.ANNEAL_PYTHON!, [script, 'continue'], {
      input: JSON.stringify(sent),
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    })
    expect(python.status, python.stderr).toBe(0)
    const returned: { model: State; state: State }[] = JSON.parse(python.stdout)
    trainings.forEach((training, i) => {
      expectSameState(cases[i], training.train().saved.model, returned[i].model)
      const back = new Training(cases[i], returned[i].model, returned[i].state)
      expectSameState(cases[i], back.train().saved.model, training.train().saved.model)
    })
  })
})

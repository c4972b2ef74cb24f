/** `nn.summary`: a model's layers with shapes, parameters and bytes, and what the plan makes of them. Not here: recording. */

import { inspect } from 'node:util'
import { checkInt, checkOptions } from '../base/check.js'
import { Unplannable } from '../emitters/unplannable.js'
import { checkLoss, checkModel, checkTrainer, type Model } from '../engine/options.js'
import { namedModules, WatchedLayers } from '../engine/watched_layers.js'
import { type Loss, type Module, MSELoss } from '../nn/index.js'
import { shapeText, sizeOf } from '../ops/spec.js'
import { type Optimizer, SGD } from '../optim/index.js'
import type { SlotCall } from '../plan/program.js'
import { textTable } from '../report/index.js'
import { defaultGenerator } from '../streams/index.js'
import { noGrad, Tensor } from '../tensor/index.js'
import { bytesText, fusionLines } from './describe.js'
import { type InputForm, inputsOf, recordStep, type TrainingStep } from './training_step.js'

/** Options of `summary`. */
export interface SummaryOptions {
  /** The model's inputs in order. Default: one, `[inFeatures]` of the first layer that has it. */
  inputs?: readonly InputForm[]
  /** Rows of a batch. Default 32. */
  batchSize?: number
  /** What the plan is made for. Default: `MSELoss`. */
  loss?: Loss
  /** Likewise. Default: `SGD` without momentum. */
  optimizer?: Optimizer
}

/** A layer, or a module made of layers. */
export interface LayerSummary {
  /** Where the model has it: `features.0`; empty for the model itself. */
  readonly name: string
  /** Its class. */
  readonly type: string
  /** Shape of what it gives, null standing for the rows of a batch; null where forward does not call it. */
  readonly output: readonly (number | null)[] | null
  /** Numbers in its own parameters, not those of modules in it; what is shared counts where it comes first. */
  readonly parameters: number
  /** Those of them that are not trained. */
  readonly frozen: number
  /** Of its parameters and buffers. */
  readonly bytes: number
  /** What the plan runs for it forward: kernels, or `in fc1` where another layer's kernel does its work too. */
  readonly kernels: readonly string[]
}

/** What `summary` returns; as text it is a table. */
export interface ModelSummary {
  /** The model, and below it every module in the order of definition. */
  readonly layers: readonly LayerSummary[]
  /** Numbers in all parameters. */
  readonly parameters: number
  /** Those of them that are not trained. */
  readonly frozen: number
  /** Of all parameters and buffers. */
  readonly bytes: number
  /** What the plan of a training step fuses, a line each. */
  readonly fusions: readonly string[]
  /** Why there is no plan, if there is none. */
  readonly reason?: string
  /** The table. */
  toString(): string
}

const where = 'summary'

/** Parameters and buffers of each module itself, each tensor once. */
function ownTensors(model: Module, names: ReadonlyMap<Module, string>): Map<Module, Tensor[]> {
  const byName = new Map([...names].map(([module, name]) => [name, module]))
  const tensors = new Map<Module, Tensor[]>([...names.keys()].map(module => [module, []]))
  const all = new Map([...model.namedParameters(), ...model.namedBuffers()].map(([name, t]) => [t, name]))
  for (const [t, name] of all) {
    let owner = name
    while (owner && !byName.has(owner)) owner = owner.slice(0, Math.max(0, owner.lastIndexOf('.')))
    tensors.get(byName.get(owner)!)!.push(t)
  }
  return tensors
}

/** What the plan runs, by the module whose forward it is, and what it fuses. */
interface Planned {
  readonly kernels: ReadonlyMap<Module, readonly string[]>
  readonly fusions: readonly string[]
  readonly reason?: string
}

function plannedIn(step: TrainingStep, watched: WatchedLayers, names: ReadonlyMap<Module, string>): Planned {
  const { recording, placement } = recordStep(step)
  const { calls } = placement.programs[0]
  const kernels = new Map<Module, string[]>()
  const ownerOf = (call: SlotCall) => watched.owners.get(call)
  for (const call of calls) {
    if (call.kind !== 'kernel') continue
    const [first, ...others] = new Set(call.from.flatMap(part => ownerOf(part) ?? []))
    if (!first) continue
    kernels.set(first, [...(kernels.get(first) ?? []), call.kernel])
    for (const other of others)
      kernels.set(other, [...(kernels.get(other) ?? []), `in ${names.get(first) || 'the model'}`])
  }
  return { kernels, fusions: fusionLines(recording, calls) }
}

/** What a model is looked at with. */
type Look = Omit<TrainingStep, 'optimizer'> & { optimizer: Optimizer | undefined }

/** Runs a model that no plan can express once, on zeros, to see its shapes. */
function runOnce({ model, batchSize, inputs }: Look): void {
  const restores = [model.keepModes(), defaultGenerator.snapshot()]
  try {
    model.eval()
    const zeros = inputs.map(({ shape, dtype }) => {
      const n = batchSize * sizeOf(shape)
      return new Tensor([batchSize, ...shape], dtype, dtype === 'int32' ? new Int32Array(n) : new Float32Array(n))
    })
    noGrad(() => model.forward(...zeros))
  } finally {
    for (const restore of restores) restore()
  }
}

function planned(look: Look, watched: WatchedLayers, names: ReadonlyMap<Module, string>): Planned {
  const without = (reason: string) => {
    runOnce(look)
    return { kernels: new Map(), fusions: [], reason }
  }
  const parameters = look.model.parameters()
  if (!parameters.some(p => p.requiresGrad)) return without('no parameter is trained')
  const { optimizer = new SGD(parameters, { lr: 0.01 }) } = look
  try {
    return plannedIn({ ...look, optimizer }, watched, names)
  } catch (error) {
    if (!(error instanceof Unplannable)) throw error
    return without(error.message)
  }
}

const outputText = (output: LayerSummary['output']) => (output ? shapeText(output.map(n => n ?? 'n') as never) : '')

function textOf(type: string, { layers, parameters, frozen, bytes, fusions, reason }: ModelSummary): string {
  const rows = layers.map(({ name, type, output, parameters, frozen, bytes, kernels }) => {
    return { layer: name, type, output: outputText(output), parameters, frozen, bytes, plan: kernels.join(', ') }
  })
  const total = `${type}: ${parameters} parameters, ${frozen} of them frozen; ${bytesText(bytes)} with buffers`
  const plan = reason === undefined ? ['fusions:', ...fusions.map(line => `  ${line}`)] : [`no plan: ${reason}`]
  return [textTable(rows), '', total, ...plan].join('\n')
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

/**
 * What a model is made of: layers, the shapes they give, parameters, bytes, what is frozen, and what the plan of a training
 * step makes of them. Nothing is trained, drawn or changed.
 *
 * ```ts
 * const net = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 3))
 * console.log(nn.summary(net, { inputs: [{ shape: [4] }], loss: new nn.CrossEntropyLoss() }))
 * // layer  type        output   parameters  frozen  bytes  plan
 * // -----  ----------  -------  ----------  ------  -----  ----------------
 * //        Sequential  [n, 3]            0       0      0
 * // 0      Linear      [n, 16]          80       0    320  linear_panel_fwd
 * // 1      ReLU        [n, 16]           0       0      0  in 0
 * // ...
 * ```
 * `loss` and `optimizer` are those that the plan is made for: they decide what is fused. A model that no plan can express
 * is run once on zeros; `reason` says why. Throws TypeError or RangeError for options, and what forward throws.
 */
export function summary(model: Model, options: SummaryOptions = {}): ModelSummary {
  checkModel(where, model)
  checkOptions(where, options, ['inputs', 'batchSize', 'loss', 'optimizer'])
  const { loss = new MSELoss(), optimizer } = options
  checkLoss(where, loss)
  if (optimizer) checkTrainer(where, model, { loss, optimizer })
  const batchSize = checkInt(where, 'batchSize', options.batchSize ?? 32, { min: 1 })
  const look = { model, loss, optimizer, batchSize, inputs: inputsOf(where, model, options.inputs) }
  const [names, watched] = [namedModules(model), new WatchedLayers()]
  const { kernels, ...rest } = watched.during(model, () => planned(look, watched, names))
  const parameters = new Set(model.parameters())
  const layers = [...ownTensors(model, names)].map(([module, tensors]): LayerSummary => {
    const own = tensors.filter(t => parameters.has(t))
    const shape = watched.shapes.get(module)
    return {
      name: names.get(module)!,
      type: module.constructor.name,
      output: shape?.map((size, d) => (d === 0 && size === batchSize ? null : size)) ?? null,
      parameters: sum(own.map(({ size }) => size)),
      frozen: sum(own.filter(t => !t.requiresGrad).map(({ size }) => size)),
      bytes: sum(tensors.map(({ size }) => 4 * size)),
      kernels: kernels.get(module) ?? [],
    }
  })
  const total = (key: 'parameters' | 'frozen' | 'bytes') => sum(layers.map(layer => layer[key]))
  const all = { layers, parameters: total('parameters'), frozen: total('frozen'), bytes: total('bytes'), ...rest }
  const text = () => textOf(model.constructor.name, all)
  // The table is no property of the data: neither JSON nor comparisons see it.
  return Object.defineProperties(all, { toString: { value: text }, [inspect.custom]: { value: text } }) as ModelSummary
}

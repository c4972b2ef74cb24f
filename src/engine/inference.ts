/**
 * Predictions on a plan: recorded once per form of the inputs, for any number of rows, with the weights kept in the layout
 * of the products for as long as they stay the same. A layer with code of its own may read anything, so that models with one
 * are computed anew each time, by their `forward`. Not here: what is asked of predictions (train/evaluate.ts).
 */

import type { Buf } from '../emitters/emitter.js'
import { checkedLabels, checkProbabilities } from '../emitters/run_now.js'
import { Unplannable } from '../emitters/unplannable.js'
import { isHandedOut, type Writes, writesTo } from '../emitters/writes.js'
import { addon } from '../native/addon.js'
import type { NativeStore, TypedArray } from '../native/types.js'
import { sizeOf } from '../ops/spec.js'
import { InferencePlan, type InputArray } from '../plan/inference.js'
import { type ColumnCheck, labelsIn, Memory } from '../plan/program.js'
import { Recorder } from '../plan/recorder.js'
import { isOwn } from '../runs/hold.js'
import { noGrad, Tensor } from '../tensor/index.js'
import { withEmitter } from '../tensor/tape.js'
import { withValuesHidden } from '../tensor/tensor.js'
import { firstForward } from './batch.js'
import type { Model } from './options.js'
import { withoutSideEffects } from './side_effects.js'
import { Structure } from './structure.js'
import { workOf } from './work.js'

/** Forms of inputs that are kept for a model, the first that was made going first. */
const MAX_FORMS = 4
/** The least number of rows that a plan is made for: fewer cost what they cost, as all of its sizes go with the rows. */
const LEAST_ROWS = 256
/** More at a time than this are left to `forward`: the arena has room for all of them. */
const MOST_ROWS = 4096

/** One forward pass, recorded. */
interface RecordedForward {
  readonly recorder: Recorder
  /** The shape of a row of the output. */
  readonly rest: readonly number[]
}

/** The model's forward pass on so many rows of such inputs. */
function recordForward(model: Model, inputs: readonly Tensor[], rows: number, memory: Memory): RecordedForward {
  const r = new Recorder(memory)
  const given = inputs.map(({ shape, dtype }, index) => {
    const rest = shape.slice(1)
    return new Tensor([rows, ...rest], dtype, r.slot(dtype, rows * sizeOf(rest), { kind: 'input', index }))
  })
  const y = withEmitter(r, () =>
    noGrad(() => firstForward(model, given, inputs => withValuesHidden(() => model.forward(...inputs)))),
  )
  if (y.shape[0] !== rows || y.dtype !== 'float32')
    throw new Unplannable('the output has no row for each of the inputs')
  if (ArrayBuffer.isView(y.buf)) throw new Unplannable('the output does not depend on the inputs')
  r.kernels.copy({ x: y.buf, y: r.slot('float32', y.size, { kind: 'output' }), n: y.size })
  return { recorder: r, rest: y.shape.slice(1) }
}

function inEvaluation<T>(model: Model, use: () => T): T {
  const restore = model.keepModes()
  model.eval()
  try {
    return use()
  } finally {
    restore()
  }
}

/** The weights of a plan, to be asked whether they are still what it holds. */
class Weights {
  readonly #tensors: readonly Tensor[]
  readonly #arrays: readonly Buf[]
  readonly #writes: readonly Writes[]
  #seen: number[]
  /** Copies of those that users have the arrays of, who may write to them unseen. */
  readonly #copies = new Map<TypedArray, NativeStore>()

  constructor(
    model: Model,
    readonly memory: Memory,
  ) {
    this.#tensors = model.parametersAndBuffers()
    this.#arrays = this.#tensors.map(({ buf }) => buf)
    this.#writes = memory.arrays.map(writesTo)
    this.#seen = this.#writes.map(({ count }) => count)
  }

  /** Whether nobody trains them, so that the caller sees the tensors' own memory, and it is all there. */
  get areOwn(): boolean {
    for (let i = 0; i < this.#tensors.length; i++) {
      const t = this.#tensors[i]
      if (!isOwn(t) || t.buf !== this.#arrays[i] || t.buf.length !== t.size) return false
    }
    return true
  }

  /** Whether they are as they were when this was asked last, or at the start. */
  get areSame(): boolean {
    let same = true
    for (let i = 0; i < this.#writes.length; i++) {
      const { count } = this.#writes[i]
      if (count !== this.#seen[i]) same = false
      this.#seen[i] = count
    }
    for (const array of this.memory.arrays) if (isHandedOut(array) && !this.#isCopied(array)) same = false
    return same
  }

  #isCopied(array: Float32Array | Int32Array): boolean {
    const copy = this.#copies.get(array)
    if (copy?.holds(0, array)) return true
    const store = copy ?? new addon.Store(array instanceof Int32Array ? 'int32' : 'float32', array.length)
    store.write(0, array)
    this.#copies.set(array, store)
    return false
  }
}

/** A model's forward pass for inputs of one form, up to a number of rows. */
export class Inference {
  /** The shape of a row of the output. */
  readonly rest: readonly number[]
  /** Multiplications and additions per row. */
  readonly work: number
  readonly #plan: InferencePlan
  readonly #weights: Weights
  readonly #checks: readonly ColumnCheck[]
  readonly #forms: readonly string[]
  #isTaken = false

  /** Throws Unplannable where the model is no plan. */
  constructor(
    model: Model,
    inputs: readonly Tensor[],
    readonly mostRows: number,
  ) {
    const memory = new Memory()
    const fewer = mostRows - 1
    const record = (rows: number) => recordForward(model, inputs, rows, memory)
    const [full, less] = inEvaluation(model, () => withoutSideEffects([model], () => [record(mostRows), record(fewer)]))
    const { calls, labelChecks } = full.recorder
    const advance = { order: 0, scalars: 0, losses: 0, counts: 0, draws: 0 }
    const rows = { most: mostRows, fewer, calls: less.recorder.calls }
    const forms = inputs.map(({ dtype, shape }) => ({ dtype, length: mostRows * sizeOf(shape.slice(1)) }))
    this.#plan = new InferencePlan({ calls, advance, dataSet: 0, rows }, forms)
    this.#checks = labelChecks
    this.#forms = inputs.map(formOf)
    this.#weights = new Weights(model, memory)
    this.rest = full.rest
    this.work = workOf(calls) / mostRows
    this.#plan.load(memory)
  }

  /** Whether it takes such inputs, so many rows at a time. */
  takes(inputs: readonly Tensor[], rows: number): boolean {
    if (inputs.length !== this.#forms.length || rows > this.mostRows) return false
    for (let i = 0; i < inputs.length; i++) if (formOf(inputs[i]) !== this.#forms[i]) return false
    return true
  }

  /**
   * Takes it for a prediction, which computes with the weights as they are now, until `release`. Returns whether that can
   * be: not while a run trains them, or another prediction goes on.
   */
  take(): boolean {
    if (this.#isTaken || !this.#weights.areOwn) return false
    if (!this.#weights.areSame) this.#plan.load(this.#weights.memory)
    this.#isTaken = true
    return true
  }

  release(): void {
    this.#isTaken = false
  }

  /** The rows' outputs into `output`. Throws ERR_LABEL_RANGE for numbers that name no row of a table. */
  run(rows: number, inputs: readonly InputArray[], output: Float32Array, threads: number): void {
    if (this.#checks.length > 0) this.#check(inputs)
    this.#plan.run(rows, inputs, output, threads)
  }

  /** The outputs of all rows at once. */
  output(inputs: readonly Tensor[], threads: number): Tensor {
    const [rows] = inputs[0].shape
    const shape = [rows, ...this.rest]
    const values = inputs.length === 1 ? [inputs[0].values] : inputs.map(t => t.values)
    if (this.#checks.length > 0) this.#check(values)
    return new Tensor(shape, 'float32', this.#plan.outputs(rows, values, sizeOf(shape), threads))
  }

  /** The same off the event loop. */
  runAsync(rows: number, inputs: readonly InputArray[], output: Float32Array, threads: number): Promise<void> {
    if (this.#checks.length > 0) this.#check(inputs)
    return this.#plan.runAsync(rows, inputs, output, threads)
  }

  #check(inputs: readonly InputArray[]): void {
    for (const check of this.#checks) {
      const values = inputs[check.column] as Float32Array
      if ('classes' in check)
        checkedLabels(check.where, labelsIn(values, check), check.classes, check.ignoreIndex, check.as)
      else checkProbabilities(check.where, check.name, values)
    }
  }
}

/** What a plan depends on of an input: its dtype and the shape of its rows. */
function formOf({ dtype, shape }: Tensor): string {
  let form: string = dtype
  for (let i = 1; i < shape.length; i++) form += ` ${shape[i]}`
  return form
}

/** The plans of a model, or that it has none for some form of inputs. */
interface Served {
  structure: Structure | null
  plans: Inference[]
  refused: Set<string>
}

const served = new WeakMap<Model, Served>()

/**
 * The plan for such inputs, taken, with the weights as they are; null where there is none: a layer with code of its own, a
 * model that a run trains, inputs without rows.
 */
export function inferenceFor(model: Model, inputs: readonly Tensor[], rows: number): Inference | null {
  if (rows === 0 || rows > MOST_ROWS) return null
  let known = served.get(model)
  if (!known?.structure?.isSame) {
    known = { structure: Structure.of(model), plans: [], refused: new Set() }
    served.set(model, known)
  }
  if (!known.structure) return null
  const found = known.plans.find(plan => plan.takes(inputs, rows)) ?? newInference(known, model, inputs, rows)
  return found?.take() ? found : null
}

function newInference(known: Served, model: Model, inputs: readonly Tensor[], rows: number): Inference | null {
  const form = inputs.map(formOf).join()
  if (known.refused.has(form) || inputs.some(({ shape }) => shape.length < 2)) return null
  if (!model.parametersAndBuffers().every(isOwn)) return null // recorded now, it would be of what others see
  const mostRows = LEAST_ROWS * 2 ** Math.ceil(Math.log2(Math.max(rows / LEAST_ROWS, 1)))
  try {
    const made = new Inference(model, inputs, mostRows)
    known.plans = [made, ...known.plans].slice(0, MAX_FORMS)
    return made
  } catch (error) {
    // Anything else, as a shape that does not fit, its own forward says in its own words.
    if (error instanceof Unplannable) known.refused.add(form)
    return null
  }
}

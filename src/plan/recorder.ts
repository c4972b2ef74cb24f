/** The emitter that records: kernel calls become a list instead of running. Not here: what the list is turned into. */

import type { Buf, DType, Emitter, KernelCalls, LabelNames } from '../emitters/emitter.js'
import { checkedLabels, checkProbabilities } from '../emitters/run_now.js'
import { Unplannable } from '../emitters/unplannable.js'
import { addon } from '../native/addon.js'
import type { KernelName } from '../native/types.js'
import {
  bufferEntries,
  type ColumnCheck,
  type Draw,
  drawsPerStep,
  type ElementType,
  type LabelCheck,
  Memory,
  type Origin,
  type Slot,
  type SlotCall,
} from './program.js'

type NamedArguments = Readonly<Record<string, Buf | null | undefined | number>>

/** The names of a kernel's arguments. */
interface Names {
  readonly kernel: KernelName
  readonly buffers: readonly string[]
  readonly dims: readonly string[]
  readonly scalars: readonly string[]
}

/** Every kernel as a method that has its call written down; made once, as a recording should cost little. */
class RecordedKernels {
  constructor(readonly recorder: Recorder) {}
}

for (const [kernel, { buffers, dims, scalars }] of Object.entries(addon.signatures)) {
  const names = { kernel: kernel as KernelName, buffers: buffers.map(({ name }) => name), dims, scalars }
  Object.defineProperty(RecordedKernels.prototype, kernel, {
    value(this: RecordedKernels, args: NamedArguments) {
      this.recorder.record(names, args)
    },
  })
}

/** The number of the column or input that values are from, which is checked before a run; undefined for others. */
function columnOf(origin: Origin): number | undefined {
  if (origin.kind === 'batch') return origin.column
  return origin.kind === 'input' ? origin.index : undefined
}

function numbers(names: readonly string[], args: NamedArguments): Record<string, number> {
  const named: Record<string, number> = {}
  for (const name of names) named[name] = args[name] as number
  return named
}

export class Recorder implements Emitter {
  readonly calls: SlotCall[] = []
  readonly labelChecks: ColumnCheck[] = []
  /** What the step draws, in this order. */
  readonly draws: Draw[] = []
  readonly kernels: KernelCalls
  readonly #held = new Map<number, Slot>()
  #slots = 0

  /** `memory` numbers the arrays that outlive a step; the programs of a plan share one. */
  constructor(private readonly memory = new Memory()) {
    this.kernels = new RecordedKernels(this) as unknown as KernelCalls
  }

  alloc(dtype: DType | 'float64', length: number): Slot {
    return this.slot(dtype, length, { kind: 'temp' })
  }

  /** A plan's memory goes by how long it is used. */
  free(): void {}

  /** A recording has every call; the plan's passes leave out what changes nothing. */
  isOnes(): boolean {
    return false
  }

  constant(values: readonly number[]): Slot {
    return this.slot('float32', values.length, { kind: 'constant', values })
  }

  slice(buf: Buf, start: number, length: number): Slot {
    const of = this.#asSlot(buf)
    const { origin } = of
    const whole = origin.kind === 'slice' ? { of: origin.of, start: origin.start + start } : { of, start }
    return this.slot(of.dtype, length, { kind: 'slice', ...whole })
  }

  bernoulli(length: number, probability: number): Slot {
    const offset = drawsPerStep(this.draws)
    this.draws.push({ length, probability })
    return this.slot('float32', length, { kind: 'draws', offset })
  }

  labels(where: string, labels: Buf, classes: number, ignoreIndex: number, as?: LabelNames): Buf {
    if (ArrayBuffer.isView(labels))
      return checkedLabels(where, labels as unknown as Int32Array, classes, ignoreIndex, as)
    const { origin, length, dtype } = labels as Slot
    if (this.#makesIndices(labels as Slot, classes)) return labels
    const taken = this.#takenFrom(labels as Slot)
    if (taken) {
      this.labelChecks.push({ ...taken, where, classes, ignoreIndex, as })
      return labels
    }
    const column = columnOf(origin)
    if (column === undefined) throw new Unplannable(`${as?.name ?? 'labels'} are computed by the model`)
    if (origin.kind === 'input' && dtype !== 'int32') throw new Unplannable(`${as?.name ?? 'labels'} are no int32`)
    this.labelChecks.push({ column, where, classes, ignoreIndex, as })
    return this.slot('int32', length, origin)
  }

  probabilities(where: string, name: string, values: Buf): void {
    if (ArrayBuffer.isView(values)) {
      checkProbabilities(where, name, values as unknown as Float32Array)
      return
    }
    const { origin } = values as Slot
    const column = columnOf(origin)
    if (column !== undefined) this.labelChecks.push({ column, where, name })
    else if (!this.#makesProbabilities(values as Slot)) {
      throw new Unplannable(`${where} is given values that no sigmoid or softmax made`)
    }
  }

  /** The first call that names a buffer: what is made in the step, it makes. */
  #makerOf(slot: Slot): SlotCall | undefined {
    return this.calls.find(call => bufferEntries(call).some(([, buffer]) => buffer.id === slot.id))
  }

  /** The column of a data set of which a buffer has the same places in every row, and which. */
  #takenFrom(slot: Slot): Pick<LabelCheck, 'column' | 'places'> | null {
    const maker = this.#makerOf(slot)
    if (maker?.kernel !== 'take_axis_ints') return null
    const { origin } = maker.buffers.x
    const { outer, axis, count, inner } = maker.dims
    const { start, step } = maker.scalars
    if (origin.kind !== 'batch' || outer % origin.rows !== 0) return null
    const { rows, width, column } = origin
    const place = (i: number) => Math.floor(i / (count * inner)) * axis + start + (Math.floor(i / inner) % count) * step
    const at = Array.from({ length: (outer / rows) * count * inner }, (_, i) => place(i) * inner + (i % inner))
    return { column, places: { width, at } }
  }

  /** Whether the call that wrote a buffer can only have written numbers of so many classes. */
  #makesIndices(slot: Slot, classes: number): boolean {
    const maker = this.#makerOf(slot)
    return maker?.kernel === 'argmax' && maker.buffers.y.id === slot.id && maker.dims.n <= classes
  }

  /** Whether the call that wrote a buffer can only have written values in [0, 1]. */
  #makesProbabilities(slot: Slot): boolean {
    const { origin } = slot
    if (origin.kind === 'slice') return this.#makesProbabilities(origin.of)
    const maker = this.calls.findLast(call => bufferEntries(call).some(([, buffer]) => buffer.id === slot.id))
    return (maker?.kernel === 'sigmoid_fwd' || maker?.kernel === 'softmax_fwd') && maker.buffers.y.id === slot.id
  }

  /** A new buffer by name. */
  slot(dtype: ElementType, length: number, origin: Origin): Slot {
    return { id: this.#slots++, dtype, length, origin }
  }

  #asSlot(buf: Buf): Slot {
    if (!ArrayBuffer.isView(buf)) return buf as Slot
    const array = buf as unknown as Float32Array | Int32Array
    const index = this.memory.numberOf(array)
    let slot = this.#held.get(index)
    if (!slot) {
      const dtype = array instanceof Int32Array ? 'int32' : 'float32'
      slot = this.slot(dtype, array.length, { kind: 'memory', index })
      this.#held.set(index, slot)
    }
    return slot
  }

  /** Writes a call down. */
  record({ kernel, buffers, dims, scalars }: Names, args: NamedArguments): void {
    const slots: Record<string, Slot | null> = {}
    for (const name of buffers) slots[name] = args[name] ? this.#asSlot(args[name] as Buf) : null
    const call = { kernel, buffers: slots, dims: numbers(dims, args), scalars: numbers(scalars, args) }
    this.calls.push(call as unknown as SlotCall)
  }
}

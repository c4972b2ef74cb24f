/** The emitter that records: kernel calls become a list instead of running. Not here: what the list is turned into. */

import {
  type Buf,
  type DType,
  type Emitter,
  type KernelCalls,
  type LabelNames,
  Unplannable,
} from '../emitters/emitter.js'
import { checkedLabels, checkProbabilities } from '../emitters/run_now.js'
import { addon } from '../native/addon.js'
import {
  type ColumnCheck,
  type Draw,
  drawsPerStep,
  type ElementType,
  Memory,
  type Origin,
  type Slot,
  type SlotCall,
} from './program.js'

/** Every kernel as a method that has its call written down; made once, as a recording should cost little. */
class RecordedKernels {
  constructor(readonly recorder: Recorder) {}
}

for (const name of Object.keys(addon.signatures)) {
  Object.defineProperty(RecordedKernels.prototype, name, {
    value(this: RecordedKernels, ...args: (Buf | null | number)[]) {
      this.recorder.record(name, args)
    },
  })
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

  constant(values: readonly number[]): Slot {
    return this.slot('float32', values.length, { kind: 'constant', values })
  }

  slice(buf: Buf, start: number, length: number): Slot {
    const of = this.#asSlot(buf)
    return this.slot(of.dtype, length, { kind: 'slice', of, start })
  }

  bernoulli(length: number, probability: number): Slot {
    const offset = drawsPerStep(this.draws)
    this.draws.push({ length, probability })
    return this.slot('float32', length, { kind: 'draw', offset })
  }

  labels(where: string, labels: Buf, classes: number, ignoreIndex: number, as?: LabelNames): Buf {
    if (ArrayBuffer.isView(labels))
      return checkedLabels(where, labels as unknown as Int32Array, classes, ignoreIndex, as)
    const { origin, length } = labels as Slot
    if (origin.kind !== 'batch') throw new Unplannable(`${as?.name ?? 'labels'} are computed by the model`)
    this.labelChecks.push({ column: origin.column, where, classes, ignoreIndex, as })
    return this.slot('int32', length, origin)
  }

  probabilities(where: string, name: string, values: Buf): void {
    if (ArrayBuffer.isView(values)) {
      checkProbabilities(where, name, values as unknown as Float32Array)
      return
    }
    const { origin } = values as Slot
    if (origin.kind === 'batch') this.labelChecks.push({ column: origin.column, where, name })
    else if (!this.#makesProbabilities(values as Slot)) {
      throw new Unplannable(`${where} is given values that no sigmoid or softmax made`)
    }
  }

  /** Whether the call that wrote a buffer can only have written values in [0, 1]. */
  #makesProbabilities(slot: Slot): boolean {
    const { origin } = slot
    if (origin.kind === 'slice') return this.#makesProbabilities(origin.of)
    const maker = this.calls.findLast(({ buffers }) => buffers.some(b => b?.id === slot.id))
    const made = maker?.kernel === 'sigmoid_fwd' || maker?.kernel === 'softmax_fwd'
    return made && maker.buffers[1]?.id === slot.id
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

  /** Writes a call down: its buffers, dims and scalars in the kernel's order. */
  record(kernel: string, args: readonly (Buf | null | number)[]): void {
    const { buffers, dims } = addon.signatures[kernel]
    const firstScalar = buffers.length + dims.length
    this.calls.push({
      kernel,
      buffers: args.slice(0, buffers.length).map(b => (b === null ? null : this.#asSlot(b as Buf))),
      dims: args.slice(buffers.length, firstScalar) as number[],
      scalars: args.slice(firstScalar) as number[],
    })
  }
}

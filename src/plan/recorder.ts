/** The emitter that records: kernel calls become a list instead of running. Not here: what the list is turned into. */

import { type Buf, type DType, type Emitter, type KernelCalls, Unplannable } from '../backends/emitter.js'
import { checkedLabels } from '../backends/run_now.js'
import { addon } from '../native/addon.js'
import type { ElementType, LabelCheck, Origin, Slot, SlotCall, TypedArray } from './program.js'

export class Recorder implements Emitter {
  readonly calls: SlotCall[] = []
  readonly labelChecks: LabelCheck[] = []
  readonly kernels: KernelCalls
  readonly #memory = new Map<TypedArray, Slot>()
  #slots = 0

  constructor() {
    this.kernels = Object.fromEntries(
      Object.keys(addon.signatures).map(name => [name, (...args: (Buf | null | number)[]) => this.#record(name, args)]),
    )
  }

  alloc(dtype: DType, length: number): Slot {
    return this.slot(dtype, length, { kind: 'temp' })
  }

  constant(values: readonly number[]): Slot {
    return this.slot('float32', values.length, { kind: 'constant', values })
  }

  slice(buf: Buf, start: number, length: number): Slot {
    const of = this.#asSlot(buf)
    return this.slot(of.dtype, length, { kind: 'slice', of, start })
  }

  labels(where: string, labels: Buf, classes: number, ignoreIndex: number): Buf {
    if (ArrayBuffer.isView(labels)) return checkedLabels(where, labels as unknown as Int32Array, classes, ignoreIndex)
    const { origin, length } = labels as Slot
    if (origin.kind !== 'batch') throw new Unplannable('labels are computed by the model')
    this.labelChecks.push({ column: origin.column, where, classes, ignoreIndex })
    return this.slot('int32', length, origin)
  }

  /** A new buffer by name. */
  slot(dtype: ElementType, length: number, origin: Origin): Slot {
    return { id: this.#slots++, dtype, length, origin }
  }

  #asSlot(buf: Buf): Slot {
    if (!ArrayBuffer.isView(buf)) return buf as Slot
    const array = buf as unknown as TypedArray
    let slot = this.#memory.get(array)
    if (!slot) {
      const dtype = array instanceof Int32Array ? 'int32' : 'float32'
      slot = this.slot(dtype, array.length, { kind: 'memory', array: array as Float32Array })
      this.#memory.set(array, slot)
    }
    return slot
  }

  #record(kernel: string, args: readonly (Buf | null | number)[]): void {
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

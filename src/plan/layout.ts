/**
 * Layouts: recorded calls become calls on physical buffers. Products work on panels of 16 columns (native/kernels/
 * README.md), everything else on whatever its operands have; conversions appear only where the two meet.
 */

import { addon } from '../native/addon.js'
import { type ElementType, identity, type Origin, type Slot, type SlotCall } from './program.js'

/** How a slot lies in memory: `key` tells layouts apart, `length` counts elements with padding. */
export interface Layout {
  readonly key: string
  readonly length: number
  /** The conversions from and to rows: kernel and dims. None for rows themselves. */
  readonly pack?: { readonly kernel: string; readonly inverse: string; readonly dims: readonly number[] }
  /** The key of the same matrix turned round, and the dims of `panel_turn` from there. */
  readonly turn?: { readonly key: string; readonly dims: readonly number[] }
}

/** A slot in one layout. */
export interface Physical {
  readonly slot: Slot
  readonly dtype: ElementType
  readonly length: number
  readonly layout: Layout
  /** Set where this is part of another buffer. */
  readonly within?: { readonly base: Physical; readonly start: number }
}

/** A call whose buffers are placed in layouts. */
export interface PhysicalCall {
  readonly kernel: string
  readonly buffers: readonly (Physical | null)[]
  readonly dims: readonly number[]
  readonly scalars: readonly number[]
}

const PANEL = 16
const padded = (n: number) => Math.ceil(n / PANEL) * PANEL

function rows(length: number): Layout {
  return { key: 'rows', length }
}

/** Activations [m, f] as [f/16][m][16]. A bias is one row. */
function panels(m: number, f: number): Layout {
  const pack = { kernel: 'panel_pack', inverse: 'panel_unpack', dims: [m, f] }
  return { key: `panels ${m}x${f}`, length: m * padded(f), pack, turn: { key: `weights ${m}x${f}`, dims: [m, f] } }
}

/** Weights [n, k] as [n/16][k][16]; turned round, activations lie so too. */
function weights(n: number, k: number): Layout {
  const pack = { kernel: 'panel_pack_weight', inverse: 'panel_unpack_weight', dims: [n, k] }
  return { key: `weights ${n}x${k}`, length: padded(n) * k, pack, turn: { key: `panels ${n}x${k}`, dims: [k, n] } }
}

interface Form {
  readonly kernel: string
  readonly layouts: (dims: readonly number[]) => (Layout | null)[]
  readonly scalars?: readonly number[]
  /** Taken only where the first operand lies in panels already; rows would do as well. */
  readonly follows?: boolean
}

type Make = (rows: number, columns: number) => Layout

/** The products' forms, given how activations and weights lie. */
function products(prefix: string, activations: Make, kernelWeights: Make): Record<string, Form> {
  const forward = ([m, k, n]: readonly number[]) => [
    activations(m, k),
    kernelWeights(n, k),
    panels(1, n),
    activations(m, n),
  ]
  // The gradient's operands, then w and its state, then b and its state, then the rows of scalars (null: as they are). The
  // input's columns are lanes here in either form.
  const update = (name: string, stateSlots: number): Form => ({
    kernel: `${prefix}_bwd_weight_${name}`,
    layouts: ([m, k, n]) => [
      activations(m, n),
      panels(m, k),
      ...new Array<Layout>(1 + stateSlots).fill(kernelWeights(n, k)),
      ...new Array<Layout>(1 + stateSlots).fill(panels(1, n)),
      null,
      null,
    ],
  })
  return {
    linear_fwd: { kernel: `${prefix}_fwd`, layouts: forward, scalars: [0] },
    linear_relu_fwd: { kernel: `${prefix}_fwd`, layouts: forward, scalars: [1] },
    linear_bwd_input: {
      kernel: `${prefix}_bwd_input`,
      layouts: ([m, k, n]) => [activations(m, n), kernelWeights(n, k), activations(m, k), activations(m, k)],
    },
    linear_bwd_weight: {
      kernel: `${prefix}_bwd_weight`,
      layouts: ([m, k, n]) => [activations(m, n), panels(m, k), kernelWeights(n, k), panels(1, n)],
    },
    linear_bwd_weight_sgd: update('sgd', 1),
    linear_bwd_weight_adam: update('adam', 2),
  }
}

/** With the count of correct rows or without. */
function crossEntropy(prefix: string, activations: Make): Form {
  const layouts = ([m, n]: readonly number[]) => [activations(m, n), null, null, null, null, activations(m, n), null]
  return { kernel: `${prefix}_softmax_xent`, layouts }
}

/** A normalisation of [m, n]: # marks the buffers that lie in panels, the others are vectors in rows. */
function norm(kernel: string, buffers: string): Form {
  return { kernel, layouts: ([m, n]) => [...buffers].map(mark => (mark === '#' ? panels(m, n) : null)), follows: true }
}

/** The panel form of every kernel that has one; null keeps a buffer in rows. */
const panelForms: Record<string, Form> = {
  ...products('panel', panels, weights),
  softmax_xent_fwd_bwd: crossEntropy('panel', panels),
  softmax_xent_count: crossEntropy('panel', panels),
  count_correct: { kernel: 'panel_count_correct', layouts: ([m, n]) => [panels(m, n), null, null] },
  column_moments: norm('panel_column_moments', '#--'),
  batch_norm_fwd: norm('panel_batch_norm_fwd', '#----#'),
  batch_norm_bwd: norm('panel_batch_norm_bwd', '##---#--'),
  layer_norm_fwd: norm('panel_layer_norm_fwd', '#--#--'),
  layer_norm_bwd_input: norm('panel_layer_norm_bwd_input', '##---#'),
  layer_norm_bwd_weight: norm('panel_layer_norm_bwd_weight', '##----'),
}

/** The forms in which the samples of a batch are the lanes, for models whose layers are too narrow to fill them. */
const turnedForms: Record<string, Form> = {
  ...products('turned', weights, panels),
  softmax_xent_fwd_bwd: { ...crossEntropy('turned', weights), follows: true },
  softmax_xent_count: { ...crossEntropy('turned', weights), follows: true },
  count_correct: {
    kernel: 'turned_count_correct',
    layouts: ([m, n]) => [weights(m, n), null, null],
    follows: true,
  },
}

/** Whether all layers are so narrow that a batch fills the lanes better than their columns do. */
function isNarrow(calls: readonly SlotCall[]): boolean {
  const layers = calls.filter(({ kernel }) => kernel.startsWith('linear'))
  return layers.every(({ dims: [, k, n] }) => k <= PANEL && n <= PANEL)
}

/** Whether every float32 buffer of a kernel has its one dim as length, so that any common layout will do. */
function isElementwise(kernel: string): boolean {
  const { dims, buffers } = addon.signatures[kernel] ?? { dims: [], buffers: [] }
  return (
    dims.length === 1 &&
    buffers.every(b => (b.dtype !== 'float32' ? b.dims.length === 0 && b.role === 'in' : b.dims.length === 1))
  )
}

/** Walks the calls in order, choosing layouts and inserting conversions and gathers. */
export class LayoutPass {
  readonly #calls: PhysicalCall[] = []
  #narrow = false
  /** Valid copies of each buffer, by layout. */
  readonly #copies = new Map<unknown, Map<string, Physical>>()

  /** `homes`: where memory and constants lie, shared by the programs of a plan; this pass adds what it meets first. */
  constructor(private readonly homes: Map<unknown, Physical>) {}

  run(calls: readonly SlotCall[]): PhysicalCall[] {
    this.#narrow = isNarrow(calls)
    for (const call of calls) this.#lower(call)
    for (const [id, home] of this.homes) this.#comeHome(id, home)
    return this.#calls
  }

  #lower(call: SlotCall): void {
    const form = this.#formOf(call)
    const common = isElementwise(call.kernel) ? this.#commonLayout(call) : undefined
    if (form) {
      const scalars = form.scalars ?? call.scalars
      this.#place({ ...call, kernel: form.kernel, scalars }, form.layouts(call.dims))
    } else if (common) {
      const layouts = call.buffers.map(b => (b?.dtype === 'float32' ? common : null))
      this.#place({ ...call, dims: [common.length] }, layouts)
    } else {
      this.#place(call, [])
    }
  }

  #formOf(call: SlotCall): Form | undefined {
    const forms = this.#narrow ? [turnedForms[call.kernel], panelForms[call.kernel]] : [panelForms[call.kernel]]
    return forms.find(form => form && this.#applies(form, call))
  }

  #applies(form: Form, { buffers: [first], dims }: SlotCall): boolean {
    if (!form.follows) return true
    const layout = form.layouts(dims)[0]
    return first !== null && layout !== null && this.#copiesOf(first).has(layout.key)
  }

  /** The panels that an elementwise call's first operand lies in; undefined where rows will do. */
  #commonLayout({ buffers, dims }: SlotCall): Layout | undefined {
    if (buffers.some(slot => slot && (slot.origin.kind === 'loss' || slot.origin.kind === 'slice'))) return undefined
    for (const slot of buffers) {
      if (slot?.dtype !== 'float32' || slot.length !== dims[0]) continue
      const copies = this.#copiesOf(slot)
      if (copies.size > 0 && !copies.has('rows')) return [...copies.values()][0].layout
    }
    return undefined
  }

  /** Buffers that the call does not name are absent. */
  #place(call: SlotCall, layouts: readonly (Layout | null)[]): void {
    const roles = addon.signatures[call.kernel].buffers.map(b => b.role)
    const slots = roles.map((_, i) => call.buffers[i] ?? null)
    const layoutOf = (slot: Slot, i: number) => layouts[i] ?? rows(slot.length)
    const inputs = slots.map((slot, i) => slot && roles[i] !== 'out' && this.#need(slot, layoutOf(slot, i)))
    const buffers = slots.map((slot, i) => {
      if (!slot) return null
      if (roles[i] === 'in') return inputs[i] as Physical
      return this.#define(slot, layoutOf(slot, i), roles[i] === 'inout' ? (inputs[i] as Physical) : undefined)
    })
    this.#calls.push({ ...call, buffers })
  }

  #copiesOf(slot: Slot): Map<string, Physical> {
    const id = identity(slot)
    let copies = this.#copies.get(id)
    if (!copies) {
      const home = this.homes.get(id)
      copies = new Map(home ? [[home.layout.key, home]] : [])
      this.#copies.set(id, copies)
    }
    return copies
  }

  /** The slot in this layout, converted or fetched if need be. */
  #need(slot: Slot, layout: Layout): Physical {
    if (slot.origin.kind === 'slice') return this.#part(slot, slot.origin.of, slot.origin.start)
    const copies = this.#copiesOf(slot)
    const there = copies.get(layout.key)
    if (there) return there
    if (copies.size === 0) return this.#fetch(slot, layout)
    const turned = layout.turn && copies.get(layout.turn.key)
    if (turned) return this.#turn(turned, layout)
    const inRows = copies.get('rows') ?? this.#convert([...copies.values()][0], rows(slot.length))
    return layout.key === 'rows' ? inRows : this.#convert(inRows, layout)
  }

  /** Part of a buffer in rows; the buffer comes to be with the first part that is written. */
  #part(slot: Slot, of: Slot, start: number): Physical {
    const empty = of.origin.kind === 'temp' && this.#copiesOf(of).size === 0
    const base = empty ? this.#add(of, rows(of.length)) : this.#need(of, rows(of.length))
    return { slot, dtype: slot.dtype, length: slot.length, layout: rows(slot.length), within: { base, start } }
  }

  #convert(from: Physical, to: Layout): Physical {
    const { dims, kernel, inverse } = (to.pack ?? from.layout.pack)!
    const made = this.#add(from.slot, to)
    this.#calls.push({ kernel: to.pack ? kernel : inverse, buffers: [from, made], dims, scalars: [] })
    return made
  }

  #turn(from: Physical, to: Layout): Physical {
    const made = this.#add(from.slot, to)
    this.#calls.push({ kernel: 'panel_turn', buffers: [from, made], dims: to.turn!.dims, scalars: [] })
    return made
  }

  /** The first sight of a slot that no call of this program has made. */
  #fetch(slot: Slot, layout: Layout): Physical {
    const { kind } = slot.origin
    if (kind === 'memory' || kind === 'constant') {
      const home = this.#add(slot, layout)
      this.homes.set(identity(slot), home)
      return home
    }
    if (kind === 'batch') return this.#gather(slot, layout)
    const inRows = this.#add(slot, rows(slot.length))
    return layout.key === 'rows' ? inRows : this.#convert(inRows, layout)
  }

  /** The set and the order are no buffers of the program: their places are filled in when it is encoded. */
  #gather(slot: Slot, layout: Layout): Physical {
    const { width, rows: count } = slot.origin as Extract<Origin, { kind: 'batch' }>
    const direct = panels(count, width)
    const inPanels = slot.dtype === 'float32' && (layout.key === direct.key || layout.key === direct.turn?.key)
    const made = this.#add(slot, inPanels ? direct : rows(slot.length))
    const kernel = slot.dtype === 'int32' ? 'gather_ints' : inPanels ? 'panel_gather' : 'gather_rows'
    this.#calls.push({ kernel, buffers: [null, null, made], dims: [], scalars: [] })
    return this.#need(slot, layout)
  }

  #define(slot: Slot, layout: Layout, inPlace?: Physical): Physical {
    if (slot.origin.kind === 'slice') {
      const part = inPlace ?? this.#part(slot, slot.origin.of, slot.origin.start)
      const base = part.within!.base
      this.#copies.set(identity(base.slot), new Map([['rows', base]]))
      return part
    }
    const copies = this.#copiesOf(slot)
    copies.clear()
    if (inPlace) copies.set(layout.key, inPlace)
    return inPlace ?? this.#add(slot, layout)
  }

  #add(slot: Slot, layout: Layout): Physical {
    const made = { slot, dtype: slot.dtype, length: layout.length, layout }
    this.#copiesOf(slot).set(layout.key, made)
    return made
  }

  /** Memory that was last written elsewhere than at its home is brought back. */
  #comeHome(id: unknown, home: Physical): void {
    const copies = this.#copies.get(id)
    if (!copies || [...copies.values()].includes(home)) return
    const [last] = copies.values()
    const inRows = copies.get('rows') ?? this.#convert(last, rows(home.slot.length))
    const { kernel, dims } = home.layout.pack ?? { kernel: 'copy', dims: [home.length] }
    this.#calls.push({ kernel, buffers: [inRows, home], dims, scalars: [] })
  }
}

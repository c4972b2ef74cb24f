/**
 * Layouts: recorded calls become calls on physical buffers. Products work on panels of 16 columns (native/kernels/
 * README.md), everything else on whatever its operands have; conversions appear only where the two meet.
 */

import { addon } from '../native/addon.js'
import { isNarrow, narrows, PANEL } from './narrow.js'
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

const padded = (n: number) => Math.ceil(n / PANEL) * PANEL

function rows(length: number): Layout {
  return { key: 'rows', length }
}

/** Activations [m, f] as [f/16][m][16]. A bias is one row. */
function panels(m: number, f: number): Layout {
  const pack = { kernel: 'panel_pack', inverse: 'panel_unpack', dims: [m, f] }
  return { key: `panels ${m}x${f}`, length: m * padded(f), pack, turn: { key: `weights ${m}x${f}`, dims: [m, f] } }
}

/** Weights [n, k] as [n/16][k][16]. */
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

/** How a product's operands lie. */
interface Lie {
  readonly x: Make
  readonly w: Make
  readonly dy: Make
}

/** y from x; `y` lies as told. */
function forward(kernel: string, { x, w }: Pick<Lie, 'x' | 'w'>, y: Make): Record<string, Form> {
  const layouts = ([m, k, n]: readonly number[]) => [x(m, k), w(n, k), panels(1, n), y(m, n)]
  return {
    linear_fwd: { kernel, layouts, scalars: [0] },
    linear_relu_fwd: { kernel, layouts, scalars: [1] },
  }
}

/**
 * The weight gradient and its updates: dy, x, w and its state, b and its state, the rows of scalars (null: as they are).
 * Those that give the input gradient, too, have it last.
 */
function weightGradients(
  name: string,
  kernel: string,
  { x, w, dy }: Lie,
  { dx, scalars }: { dx?: Make; scalars?: readonly number[] } = {},
): Record<string, Form> {
  const last = ([m, k]: readonly number[]) => (dx ? [dx(m, k)] : [])
  const update = (rule: string, stateSlots: number): Form => ({
    kernel: `${kernel}_${rule}`,
    scalars,
    layouts: dims => {
      const [m, k, n] = dims
      const ofWeight = new Array<Layout>(1 + stateSlots).fill(w(n, k))
      const ofBias = new Array<Layout>(1 + stateSlots).fill(panels(1, n))
      return [dy(m, n), x(m, k), ...ofWeight, ...ofBias, null, null, ...last(dims)]
    },
  })
  return {
    [name]: {
      kernel,
      scalars,
      layouts: dims => {
        const [m, k, n] = dims
        return [dy(m, n), x(m, k), w(n, k), panels(1, n), ...(dx ? [w(n, k)] : []), ...last(dims)]
      },
    },
    [`${name}_sgd`]: update('sgd', 1),
    [`${name}_adam`]: update('adam', 2),
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
  ...forward('panel_fwd', { x: panels, w: weights }, panels),
  linear_bwd_input: {
    kernel: 'panel_bwd_input',
    layouts: ([m, k, n]) => [panels(m, n), weights(n, k), panels(m, k), panels(m, k)],
  },
  ...weightGradients('linear_bwd_weight', 'panel_bwd_weight', { x: panels, w: weights, dy: panels }),
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

/** Activations turned round, [m/16][f][16] with the samples as lanes, lie as weights do. */
const turned = weights

/** What narrow models have in place of it: the samples of a batch are the lanes wherever activations are made. */
const narrowForms: Record<string, Form> = {
  softmax_xent_fwd_bwd: { ...crossEntropy('turned', turned), follows: true },
  softmax_xent_count: { ...crossEntropy('turned', turned), follows: true },
  count_correct: {
    kernel: 'turned_count_correct',
    layouts: ([m, n]) => [turned(m, n), null, null],
    follows: true,
  },
}

/** Their layers of no fewer outputs than inputs have the outputs as lanes; the input gradient is that on panels. */
const wideningForms: Record<string, Form> = {
  ...forward('widening_fwd', { x: turned, w: weights }, turned),
  ...weightGradients('linear_bwd_weight', 'widening_bwd_weight', { x: turned, w: weights, dy: panels }),
}

/** The others have the inputs as lanes; their weights lie as activations do in panels. */
const narrowingLie: Lie = { x: panels, w: panels, dy: turned }
const narrowingForms: Record<string, Form> = {
  ...forward('narrowing_fwd', { x: turned, w: panels }, turned),
  ...weightGradients('linear_bwd_weight', 'narrowing_bwd', narrowingLie, { scalars: [0] }),
  ...weightGradients('linear_bwd', 'narrowing_bwd', narrowingLie, { dx: panels }),
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
    const { kernel, dims } = call
    const ofLayer = narrows(dims) ? narrowingForms[kernel] : wideningForms[kernel]
    const forms = this.#narrow ? [ofLayer, narrowForms[kernel], panelForms[kernel]] : [panelForms[kernel]]
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
    const opposite = layout.turn && copies.get(layout.turn.key)
    if (opposite) return this.#turn(opposite, layout)
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
    const direct: Record<string, string> = {
      [panels(count, width).key]: 'panel_gather',
      [turned(count, width).key]: 'turned_gather',
    }
    const kernel = slot.dtype === 'int32' ? 'gather_ints' : (direct[layout.key] ?? 'gather_rows')
    const made = this.#add(slot, kernel === direct[layout.key] ? layout : rows(slot.length))
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

/**
 * Fusion: a peephole pass over recorded calls, only where the bits are those of the parts. A fused call says `from` which
 * recorded ones it is made. Not here: memory layouts.
 */

import { addon } from '../native/addon.js'
import type { KernelBuffers, KernelName } from '../native/types.js'
import { formsOf, isNarrow, narrows } from './narrow.js'
import {
  bufferEntries,
  type CallOf,
  identity,
  originsOf,
  type Slot,
  type SlotCall,
  substitute,
  wholeOf,
} from './program.js'

/** `narrow`: whether the model is (narrow.ts). */
type Pass = (calls: readonly SlotCall[], narrow: boolean) => SlotCall[]

type Slots = Readonly<Record<string, Slot | null | undefined>>

function uses(call: SlotCall, slot: Slot): boolean {
  return bufferEntries(call).some(([, other]) => other === slot || wholeOf(other) === slot)
}

/** Whether a call names a slot as a whole. */
function names(call: SlotCall | undefined, slot: Slot): call is SlotCall {
  return call !== undefined && bufferEntries(call).some(([, other]) => other === slot)
}

/** Calls that name a slot or a part of it. */
function usersOf(calls: readonly SlotCall[], slot: Slot): SlotCall[] {
  return calls.filter(call => uses(call, slot))
}

/** The only call that uses what `producer` puts into `slot`; undefined where there are others or the slot lives on. */
function onlyConsumer(calls: readonly SlotCall[], producer: SlotCall, slot: Slot): SlotCall | undefined {
  if (slot.origin.kind !== 'temp') return undefined
  const users = usersOf(calls, slot).filter(call => call !== producer)
  return users.length === 1 && names(users[0], slot) ? users[0] : undefined
}

/** A call that stands for others. */
function madeOf<K extends KernelName>(parts: readonly SlotCall[], call: CallOf<K>): SlotCall {
  return { ...call, from: parts.flatMap(originsOf) } as unknown as SlotCall
}

/** The calls with one in the place of another, and without those that it was made of. */
function replaced(calls: readonly SlotCall[], place: SlotCall, by: SlotCall, parts: readonly SlotCall[]): SlotCall[] {
  return calls.flatMap(call => (call === place ? [by] : parts.includes(call) ? [] : [call]))
}

function isOnes({ origin }: Slot): boolean {
  return origin.kind === 'constant' && origin.values.every(value => value === 1)
}

/** x · 1 is x: the gradient that backward starts from. */
const dropUnitScale: Pass = (calls, narrow) => {
  for (const call of calls) {
    if (call.kernel !== 'scale_rows' || !isOnes(call.buffers.s)) continue
    const rest = calls.filter(other => other !== call)
    return dropUnitScale(substitute(rest, call.buffers.y, call.buffers.x), narrow)
  }
  return [...calls]
}

/** Merges a producer with the only consumer of its output; `merge` returns the new call or null. */
function mergePairs<K extends KernelName>(
  producer: K,
  output: keyof KernelBuffers<Slot, Slot, Slot, Slot, Slot>[K] & string,
  merge: (first: CallOf<K>, next: SlotCall) => SlotCall | null,
): Pass {
  return calls => {
    let out = [...calls]
    for (const first of calls) {
      if (first.kernel !== producer) continue
      const slot = (first.buffers as Slots)[output]
      const next = slot && onlyConsumer(calls, first, slot)
      const merged = next && merge(first as unknown as CallOf<K>, next)
      if (merged) out = replaced(out, first, merged, [first, next])
    }
    return out
  }
}

/** relu(x·wᵀ + b) in the product's epilogue. */
const fuseRelu = mergePairs('linear_fwd', 'y', (first, next) => {
  if (next.kernel !== 'relu_fwd') return null
  const buffers = { ...first.buffers, y: next.buffers.y }
  return madeOf([first, next], { ...first, kernel: 'linear_relu_fwd', buffers })
})

/** The activation's mask in the epilogue of the product that makes its gradient. */
const fuseMask = mergePairs('linear_input_bwd', 'dx', (first, next) => {
  if (next.kernel !== 'relu_bwd' || first.buffers.a || next.buffers.dy !== first.buffers.dx) return null
  return madeOf([first, next], { ...first, buffers: { ...first.buffers, a: next.buffers.y, dx: next.buffers.dx } })
})

/** Correct rows counted where the loss has the logits at hand. */
const fuseCount: Pass = calls => {
  let out = [...calls]
  for (const loss of calls) {
    if (loss.kernel !== 'softmax_xent_fwd_bwd') continue
    const { logits, labels } = loss.buffers
    const labelled = (slot: Slot) => identity(slot) === identity(labels)
    for (const count of out) {
      if (count.kernel !== 'count_correct' || count.buffers.logits !== logits || !labelled(count.buffers.labels))
        continue
      const buffers = { ...loss.buffers, count: count.buffers.count }
      const merged = madeOf([loss, count], { ...loss, kernel: 'softmax_xent_panel_fwd_bwd', buffers })
      out = replaced(out, loss, merged, [loss, count])
      break
    }
  }
  return out
}

/** A loss that is only sent out is written there at once: nothing in a step reads that place. */
const dropLossCopies: Pass = (calls, narrow) => {
  for (const copy of calls) {
    if (copy.kernel !== 'copy') continue
    const { x, y } = copy.buffers
    if (x.origin.kind !== 'temp' || y.origin.kind !== 'losses' || x.length !== y.length) continue
    const [producer, ...others] = usersOf(calls, x).filter(call => call !== copy)
    if (!names(producer, x) || others.length > 0) continue
    const rest = replaced(calls, producer, madeOf([producer, copy], producer as CallOf<KernelName>), [copy])
    return dropLossCopies(substitute(rest, x, y), narrow)
  }
  return [...calls]
}

/** An update's state tensors by the name that a fused kernel has for them: those of the weight, or of the bias. */
function stateOf(update: SlotCall, suffix: 'w' | 'b'): [name: string, slot: Slot][] {
  const state = bufferEntries(update).filter(([name]) => name !== 'p' && name !== 'g' && name !== 'scalars')
  return state.map(([name, slot]) => [`${name}_${suffix}`, slot])
}

/** Whether a kernel has a buffer for each of them. */
function fits(kernel: KernelName, state: readonly [name: string, slot: Slot][]): boolean {
  return state.every(([name]) => addon.signatures[kernel].buffers.some(buffer => buffer.name === name))
}

type Product = CallOf<'linear_weight_bwd'>
type Update = CallOf<'sgd_update' | 'adam_update'>

/** The weight gradient with the update of the weight, and of the bias, in its epilogue, where there is such a kernel. */
function withUpdates(product: Product, weight: SlotCall, bias: SlotCall | null, narrow: boolean): SlotCall | null {
  const [{ kernel: gradient, scalars = {} }] = formsOf(product.kernel, product.dims, narrow)
  const kernel = `${gradient}_${weight.kernel}` as KernelName
  const state = [...stateOf(weight, 'w'), ...(bias ? stateOf(bias, 'b') : [])]
  if (!(kernel in addon.signatures) || (bias && bias.kernel !== weight.kernel) || !fits(kernel, state)) return null
  const { dy, x } = product.buffers
  const [ofWeight, ofBias] = [weight.buffers as Update['buffers'], bias?.buffers as Update['buffers'] | undefined]
  const parameters = { w: ofWeight.p, b: ofBias?.p ?? null }
  const given = { scalars_w: ofWeight.scalars, scalars_b: (ofBias ?? ofWeight).scalars }
  const buffers = { dy, x, ...parameters, ...Object.fromEntries(state), ...given }
  const parts = [product, weight, ...(bias ? [bias] : [])] as SlotCall[]
  return madeOf(parts, { kernel, buffers, dims: product.dims, scalars } as unknown as CallOf<KernelName>)
}

/** Gradient and update in one: the gradient of a weight used once never reaches memory. */
const fuseUpdates: Pass = (calls, narrow) => {
  let out = [...calls]
  for (const product of calls) {
    if (product.kernel !== 'linear_weight_bwd') continue
    const { dw, db } = product.buffers
    const weight = onlyConsumer(calls, product, dw)
    const bias = db ? onlyConsumer(calls, product, db) : null
    const merged = weight && bias !== undefined && withUpdates(product, weight, bias, narrow)
    if (!merged) continue
    // The update waits for every reader of the weight: it takes the place of the later call.
    const place = isUsedBetween(out, product, weight) ? weight : product
    out = replaced(out, place, merged, bias ? [product, weight, bias] : [product, weight])
  }
  return out
}

/** Whether somebody uses the updated weight between its gradient and its update. */
function isUsedBetween(calls: readonly SlotCall[], product: SlotCall, update: SlotCall): boolean {
  const { p } = update.buffers as Update['buffers']
  return calls.slice(calls.indexOf(product) + 1, calls.indexOf(update)).some(call => uses(call, p))
}

/**
 * Both gradients of a layer of a narrow model that narrows, from one look at every sample: the input's, which the recorder
 * puts just before the weight's, is masked by the input itself or not at all.
 */
const fuseGradients: Pass = (calls, narrow) => {
  const out: SlotCall[] = []
  for (const call of calls) {
    const before = out[out.length - 1]
    const merged = narrow && before?.kernel === 'linear_input_bwd' ? withInputGradient(before, call) : null
    if (merged) out[out.length - 1] = merged
    else out.push(call)
  }
  return out
}

function withInputGradient(input: CallOf<'linear_input_bwd'>, weight: SlotCall): SlotCall | null {
  const stored = weight.kernel === 'linear_weight_bwd' && narrows(weight.dims)
  if (!stored && !weight.kernel.startsWith('linear_narrowing_bwd_')) return null
  const { dy, w, a, dx } = input.buffers
  const buffers = weight.buffers as Product['buffers']
  if (buffers.dy !== dy || (a && a !== buffers.x)) return null
  const kernel = stored ? 'linear_narrowing_bwd' : weight.kernel
  const merged = {
    ...weight,
    kernel,
    buffers: { ...buffers, ...(stored ? { w } : {}), dx },
    scalars: { relu: a ? 1 : 0 },
  }
  return madeOf([input, weight], merged as unknown as CallOf<KernelName>)
}

/** Calls none of whose results is read, or leaves the step. */
const dropUnused: Pass = (calls, narrow) => {
  const live = calls.filter(call => outputs(call).some(slot => leaves(slot) || usersOf(calls, slot).length > 1))
  return live.length === calls.length ? live : dropUnused(live, narrow)
}

function outputs(call: SlotCall): Slot[] {
  const { buffers } = addon.signatures[call.kernel]
  const isOutput = (name: string) => buffers.some(buffer => buffer.name === name && buffer.role !== 'in')
  return bufferEntries(call).flatMap(([name, slot]) => (isOutput(name) ? [slot] : []))
}

function leaves({ origin }: Slot): boolean {
  return origin.kind !== 'temp'
}

const passes: readonly Pass[] = [dropLossCopies, fuseRelu, fuseMask, fuseCount, fuseUpdates, fuseGradients]

/** A recording after fusion, and whether its model is narrow. */
export interface Fused {
  readonly calls: readonly SlotCall[]
  readonly narrow: boolean
}

/** Drops what is of no use, then all passes, in order. `mayBeNarrow`: whether samples may be lanes (narrow.ts). */
export function fuse(recorded: readonly SlotCall[], mayBeNarrow = true): Fused {
  const used = dropUnused(dropUnitScale(recorded, false), false)
  const narrow = mayBeNarrow && isNarrow(used)
  return { calls: passes.reduce((calls, pass) => pass(calls, narrow), used), narrow }
}

/**
 * Fusion: a peephole pass over recorded calls, only where the bits are those of the parts. Not here: memory layouts.
 */

import { addon } from '../native/addon.js'
import { isNarrow, narrows } from './narrow.js'
import { identity, type Slot, type SlotCall, substitute } from './program.js'

type Pass = (calls: readonly SlotCall[]) => SlotCall[]

/** Calls that name a slot. */
function usersOf(calls: readonly SlotCall[], slot: Slot): SlotCall[] {
  return calls.filter(call => call.buffers.includes(slot))
}

/** The only call that uses what `producer` puts into `slot`; undefined where there are others or the slot lives on. */
function onlyConsumer(calls: readonly SlotCall[], producer: SlotCall, slot: Slot): SlotCall | undefined {
  if (slot.origin.kind !== 'temp') return undefined
  const users = usersOf(calls, slot).filter(call => call !== producer)
  return users.length === 1 ? users[0] : undefined
}

function isOnes({ origin }: Slot): boolean {
  return origin.kind === 'constant' && origin.values.every(value => value === 1)
}

/** x · 1 is x: the gradient that backward starts from. */
const dropUnitScale: Pass = calls => {
  const call = calls.find(({ kernel, buffers }) => kernel === 'scale_rows' && isOnes(buffers[1] as Slot))
  if (!call) return [...calls]
  const [x, , y] = call.buffers as Slot[]
  return dropUnitScale(
    substitute(
      calls.filter(c => c !== call),
      y,
      x,
    ),
  )
}

/** Merges a producer with the only consumer of its output; `merge` returns the new call or null. */
function mergePairs(
  producer: string,
  output: number,
  merge: (first: SlotCall, next: SlotCall) => SlotCall | null,
): Pass {
  return calls => {
    const out = [...calls]
    for (const first of calls) {
      if (first.kernel !== producer) continue
      const slot = first.buffers[output]
      const next = slot && onlyConsumer(calls, first, slot)
      const merged = next && merge(first, next)
      if (!merged) continue
      out[out.indexOf(first)] = merged
      out.splice(out.indexOf(next), 1)
    }
    return out
  }
}

/** relu(x·wᵀ + b) in the product's epilogue. */
const fuseRelu = mergePairs('linear_fwd', 3, (first, next) => {
  if (next.kernel !== 'relu_fwd') return null
  const [x, w, b] = first.buffers
  return { ...first, kernel: 'linear_relu_fwd', buffers: [x, w, b, next.buffers[1]] }
})

/** The activation's mask in the epilogue of the product that makes its gradient. */
const fuseMask = mergePairs('linear_bwd_input', 3, (first, next) => {
  const [dy, w, mask, dx] = first.buffers
  if (next.kernel !== 'relu_bwd' || mask || next.buffers[0] !== dx) return null
  return { ...first, buffers: [dy, w, next.buffers[1], next.buffers[2]] }
})

/** Correct rows counted where the loss has the logits at hand. Its kernels exist in panel layout only. */
const fuseCount: Pass = calls => {
  let out = [...calls]
  for (const loss of calls) {
    if (loss.kernel !== 'softmax_xent_fwd_bwd') continue
    const [logits, labels] = loss.buffers
    const count = out.find(
      ({ kernel, buffers }) =>
        kernel === 'count_correct' &&
        buffers[0] === logits &&
        identity(buffers[1] as Slot) === identity(labels as Slot),
    )
    if (!count) continue
    const merged = { ...loss, kernel: 'softmax_xent_count', buffers: [...loss.buffers, count.buffers[2]] }
    out = out.filter(call => call !== count).map(call => (call === loss ? merged : call))
  }
  return out
}

/** A loss that is only sent out is written there at once: nothing in a step reads that place. */
const dropLossCopies: Pass = calls => {
  const copy = calls.find(({ kernel, buffers: [from, to] }) => {
    const sent = kernel === 'copy' && from?.origin.kind === 'temp' && to?.origin.kind === 'loss'
    return sent && from.length === to.length && usersOf(calls, from).length === 2
  })
  if (!copy) return [...calls]
  const [from, to] = copy.buffers as Slot[]
  return dropLossCopies(
    substitute(
      calls.filter(c => c !== copy),
      from,
      to,
    ),
  )
}

/** Updates that a weight gradient's epilogue can do, and the kernel that does both. */
const fusedUpdates: Record<string, string> = {
  sgd_update: 'linear_bwd_weight_sgd',
  adam_update: 'linear_bwd_weight_adam',
}

/** Whether the kernel has a buffer for every state tensor of the update (amsgrad's maximum has none). */
function fits(update: SlotCall): boolean {
  return update.kernel !== 'adam_update' || update.buffers[4] === null
}

function stateOf(update: SlotCall): (Slot | null)[] {
  const state = update.buffers.slice(2, -1)
  return update.kernel === 'adam_update' ? state.slice(0, 2) : state
}

function mergeUpdate(product: SlotCall, weight: SlotCall, bias: SlotCall | null): SlotCall {
  const [dy, x] = product.buffers
  const row = weight.buffers[weight.buffers.length - 1]
  const none = stateOf(weight).map(() => null)
  const biasBuffers = bias ? [bias.buffers[0], ...stateOf(bias)] : [null, ...none]
  return {
    ...product,
    kernel: fusedUpdates[weight.kernel],
    buffers: [
      dy,
      x,
      weight.buffers[0],
      ...stateOf(weight),
      ...biasBuffers,
      row,
      bias ? bias.buffers[bias.buffers.length - 1] : row,
    ],
  }
}

/** Gradient and update in one: the gradient of a weight used once never reaches memory. */
const fuseUpdates: Pass = calls => {
  let out = [...calls]
  for (const product of calls) {
    if (product.kernel !== 'linear_bwd_weight') continue
    const [, , dw, db] = product.buffers
    const weight = onlyConsumer(calls, product, dw as Slot)
    const bias = db ? onlyConsumer(calls, product, db) : null
    if (!weight || bias === undefined || !(weight.kernel in fusedUpdates) || !fits(weight)) continue
    if (bias && (bias.kernel !== weight.kernel || !fits(bias))) continue
    // The update waits for every reader of the weight: it takes the place of the later call.
    const merged = mergeUpdate(product, weight, bias)
    const place = readersBetween(out, product, weight) ? weight : product
    out = out
      .map(call => (call === place ? merged : call))
      .filter(call => call !== product && call !== weight && call !== bias)
  }
  return out
}

function readersBetween(calls: readonly SlotCall[], product: SlotCall, update: SlotCall): boolean {
  const between = calls.slice(calls.indexOf(product) + 1, calls.indexOf(update))
  return between.some(call => call.buffers[0] !== update.buffers[0] && call.buffers.includes(update.buffers[0]))
}

/**
 * Both gradients of a layer of a narrow model that narrows, from one look at every sample: the input's, which the recorder
 * puts just before the weight's, is masked by the input itself or not at all.
 */
const fuseGradients: Pass = calls => {
  if (!isNarrow(calls)) return [...calls]
  const out: SlotCall[] = []
  for (const call of calls) {
    const before = out[out.length - 1]
    const merged = before?.kernel === 'linear_bwd_input' ? mergeGradients(before, call) : null
    if (merged) out[out.length - 1] = merged
    else out.push(call)
  }
  return out
}

function mergeGradients(input: SlotCall, weight: SlotCall): SlotCall | null {
  const [dy, w, mask, dx] = input.buffers
  if (!weight.kernel.startsWith('linear_bwd_weight') || weight.buffers[0] !== dy || !narrows(weight.dims)) return null
  if (mask && mask !== weight.buffers[1]) return null
  const stored = weight.kernel === 'linear_bwd_weight'
  return {
    ...weight,
    kernel: weight.kernel.replace('_weight', ''),
    buffers: [...weight.buffers, ...(stored ? [w] : []), dx],
    scalars: [mask ? 1 : 0],
  }
}

/** Calls none of whose results is read, or leaves the step. */
const dropUnused: Pass = calls => {
  const live = calls.filter(call => outputs(call).some(slot => leaves(slot) || usersOf(calls, slot).length > 1))
  return live.length === calls.length ? live : dropUnused(live)
}

function outputs({ kernel, buffers }: SlotCall): Slot[] {
  return buffers.filter((b, i): b is Slot => b !== null && addon.signatures[kernel].buffers[i]?.role !== 'in')
}

function leaves({ origin }: Slot): boolean {
  return origin.kind === 'slice' ? true : origin.kind !== 'temp'
}

const passes: readonly Pass[] = [
  dropUnitScale,
  dropUnused,
  dropLossCopies,
  fuseRelu,
  fuseMask,
  fuseCount,
  fuseUpdates,
  fuseGradients,
]

/** All passes, in order. The last three come last: their kernels exist in panel layout only. */
export function fuse(calls: readonly SlotCall[]): SlotCall[] {
  return passes.reduce((list, pass) => pass(list), [...calls])
}

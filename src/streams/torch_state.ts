/**
 * A generator's state as bytes, in the layout of PyTorch's `Generator.get_state()` on 64-bit little-endian machines, so
 * that a state can be carried over in either direction. Not here: who may read or write it.
 */

import { AnnealError, phrase, typeError } from '../base/errors.js'
import { typedArrayName } from '../base/kinds.js'

export interface EngineState {
  /** The block of 624 words. */
  words: Uint32Array
  /** The next word of the block to hand out; 624 when it is used up. */
  position: number
  /** [1 if a normal is kept, its value]. */
  normal: Float64Array
  seed: bigint
}

const WORDS = 624
/** Byte offsets: seed u64, left i32, seeded i32, next u64, words u64[624], normal x, y, rho f64, valid i32, float32 normal. */
const AT = { seed: 0, left: 8, seeded: 12, next: 16, words: 24, normal: 24 + 8 * WORDS + 8, valid: 24 + 8 * WORDS + 24 }
const BYTES = 5056

export function packState({ words, position, normal, seed }: EngineState): Uint8Array {
  const bytes = new Uint8Array(BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(AT.seed, seed, true)
  view.setInt32(AT.left, WORDS + 1 - position || 1, true)
  view.setInt32(AT.seeded, 1, true)
  view.setUint32(AT.next, position, true)
  for (let i = 0; i < WORDS; i++) view.setUint32(AT.words + 8 * i, words[i], true)
  view.setFloat64(AT.normal, normal[0] ? normal[1] : 0, true)
  view.setInt32(AT.valid, normal[0], true)
  return bytes
}

/** The position that `left` and `next` give, or -1 where they contradict each other. PyTorch writes 1, 0 when freshly seeded. */
function positionOf(left: number, next: number): number {
  if (left === 1 && next === 0) return WORDS
  return next >= 1 && next <= WORDS && left === WORDS + 1 - next ? next : -1
}

const isBytes = (value: unknown): value is Uint8Array => typedArrayName(value) === 'Uint8Array'

export function unpackState(where: string, bytes: unknown): EngineState {
  if (!isBytes(bytes)) throw typeError(where, 'state to be a Uint8Array', bytes)
  if (bytes.length !== BYTES) throw invalid(where, `${BYTES} bytes`, String(bytes.length))
  const view = new DataView(bytes.buffer, bytes.byteOffset, BYTES)
  const position = positionOf(view.getInt32(AT.left, true), Number(view.getBigUint64(AT.next, true)))
  if (view.getInt32(AT.seeded, true) !== 1 || position < 0)
    throw invalid(where, 'a state of an MT19937 engine', 'other bytes')
  const words = new Uint32Array(WORDS)
  for (let i = 0; i < WORDS; i++) {
    words[i] = view.getUint32(AT.words + 8 * i, true)
    if (view.getUint32(AT.words + 8 * i + 4, true) !== 0) throw invalid(where, 'words of 32 bits', `a larger word ${i}`)
  }
  const valid = view.getInt32(AT.valid, true) !== 0
  const normal = Float64Array.of(valid ? 1 : 0, valid ? view.getFloat64(AT.normal, true) : 0)
  return { words, position, normal, seed: view.getBigUint64(AT.seed, true) }
}

function invalid(where: string, expected: string, received: string): AnnealError {
  return new AnnealError('ERR_STATE', phrase(where, expected, received))
}

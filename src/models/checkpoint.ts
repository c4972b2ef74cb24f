/**
 * A checkpoint's bytes: everything that a run needs to go on, as one safetensors file with a checksum. Not here: what a
 * run is made of (train/resume.ts), or the folder (train/checkpoint_folder.ts).
 */

import { createHash } from 'node:crypto'
import type { Steps } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { readSafetensors, safetensorsParts, type TensorMap } from '../io/safetensors.js'
import type { Source } from '../io/source.js'
import { pack, unpack } from './packing.js'

/** Keys of the file's metadata. */
const STATE = 'anneal-checkpoint'
const CHECKSUM = 'sha256'

/** SHA-256 of the text, then of every tensor's name, shape and bytes in the order of their names. */
function checksumOf(text: string, tensors: TensorMap): string {
  const hash = createHash('sha256').update(text)
  for (const name of Object.keys(tensors).sort()) {
    const { dtype, shape, values: data } = tensors[name]
    hash.update(`\n${name} ${dtype} ${shape.join()}\n`)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest('hex')
}

/** The bytes of a file with this state: plain data with tensors in it, whose memory they share. */
export function encodeCheckpoint(state: object): Uint8Array[] {
  const { text, tensors } = pack(state)
  return safetensorsParts('checkpoint', tensors, {
    metadata: { [STATE]: text, [CHECKSUM]: checksumOf(text, tensors) },
  })
}

/** The state in a file. Throws ERR_FILE_FORMAT for every file that is not a whole checkpoint. */
export function* decodeCheckpoint(source: Source): Steps<Record<string, unknown>> {
  const { tensors, metadata } = yield* readSafetensors(source, false)
  const refuse = (what: string) => new AnnealError('ERR_FILE_FORMAT', `${source.name}: expected ${what}`)
  const text = Object.hasOwn(metadata, STATE) ? metadata[STATE] : null
  if (text === null) throw refuse('a checkpoint but received other tensors')
  if (metadata[CHECKSUM] !== checksumOf(text, tensors))
    throw refuse('the checksum of its contents but received another')
  try {
    return unpack({ text, tensors }) as Record<string, unknown>
  } catch (error) {
    throw refuse(`the state of a run: ${(error as Error).message}`)
  }
}

/** Ways to spoil a safetensors file, and what a reader without any check makes of it. Not a test. */

import type { Chance } from './campaign.js'

/** A file of these parts, whatever they say. */
export function fileOf(header: string | Uint8Array, data: Uint8Array, length?: number | bigint): Buffer {
  const json = Buffer.from(header as string)
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(length ?? json.length))
  return Buffer.concat([prefix, json, data])
}

/** What a reader without any check makes of a file, or null: the values of every tensor as bytes. */
export function naive(bytes: Buffer): Record<string, string> | null {
  try {
    const start = 8 + Number(bytes.readBigUInt64LE())
    const header = JSON.parse(bytes.subarray(8, start).toString())
    return Object.fromEntries(
      Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(header)
        .filter(([name]) => name !== '__metadata__')
        .map(
          ([
            name,
            {
              dtype,
              shape,
              data_offsets: [begin, end],
            },
          ]) => {
            const values = bytes.subarray(start + begin, start + end)
            return [name, `${dtype === 'F32' ? 'float32' : 'int32'} ${shape} ${values.toString('hex')}`]
          },
        ),
    )
  } catch {
    return null
  }
}

/** A file taken apart. */
export interface Draft {
  metadata?: Record<string, string>
  header: Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>
  data: Uint8Array
}

/** How a file is spoilt; true: no reader may accept what comes out. */
export const mutations: Record<string, (file: Draft, random: Chance) => { bytes: Buffer; never: boolean }> = {
  'length field': (file, random) => {
    const json = textOf(file)
    const length = random.pick([0, json.length - 1 - random.integer(20), json.length + 1 + random.integer(20), 2 ** 40])
    return { bytes: fileOf(json, file.data.fill(1), length), never: true }
  },
  'an offset': (file, random) => {
    const { data_offsets } = random.pick(Object.values(file.header))
    data_offsets[random.integer(2)] += random.pick([-4, -1, 1, 4, 2 ** 31, 2 ** 52])
    return { bytes: fileOf(textOf(file), file.data), never: true }
  },
  'overlap or hole': (file, random) => {
    const { data_offsets } = random.pick(Object.values(file.header))
    const by = random.pick([-8, -4, 4, 8])
    data_offsets[0] += by
    data_offsets[1] += by
    return { bytes: fileOf(textOf(file), file.data), never: true }
  },
  shape: (file, random) => {
    const { shape } = random.pick(Object.values(file.header))
    if (random.integer(2)) shape.push(random.pick([0, 2, 3, 2 ** 31, 2 ** 53]))
    else shape.reverse()
    return { bytes: fileOf(textOf(file), file.data), never: false }
  },
  rank: (file, random) => {
    random.pick(Object.values(file.header)).shape.push(...Array(9).fill(1))
    return { bytes: fileOf(textOf(file), file.data), never: true }
  },
  'dtype of another size': (file, random) => {
    random.pick(Object.values(file.header)).dtype = random.pick(['F64', 'I64', 'U8', 'BF16', 'F8_E4M3', 'C64', ''])
    return { bytes: fileOf(textOf(file), file.data), never: true }
  },
  'dtype of the same size': (file, random) => {
    random.pick(Object.values(file.header)).dtype = random.pick(['F32', 'I32', 'U32'])
    return { bytes: fileOf(textOf(file), file.data), never: false }
  },
  'duplicate key': (file, random) => {
    const json = textOf(file)
    const [key, value] = random.pick(Object.entries(file.header))
    return { bytes: fileOf(`${json.slice(0, -1)},"${key}":${JSON.stringify(value)}}`, file.data), never: true }
  },
  'deep JSON': (file, random) => {
    const json = textOf(file)
    const at = random.integer(json.length)
    const depth = 1 + random.integer(5000)
    return {
      bytes: fileOf(json.slice(0, at) + random.pick(['[', '{"a":']).repeat(depth) + json.slice(at), file.data),
      never: false,
    }
  },
  truncation: (file, random) => {
    const whole = fileOf(textOf(file), file.data)
    return { bytes: whole.subarray(0, random.integer(whole.length)), never: true }
  },
  'bytes after the end': (file, random) => {
    return {
      bytes: Buffer.concat([fileOf(textOf(file), file.data), random.bytes(1 + random.integer(9))]),
      never: true,
    }
  },
  'a byte of the header': (file, random) => {
    const json = Buffer.from(textOf(file))
    json[random.integer(json.length)] = random.integer(256)
    return { bytes: fileOf(json, file.data), never: false }
  },
  'a piece of the header moved': (file, random) => {
    const json = textOf(file)
    const [from, to] = [random.integer(json.length), random.integer(json.length)]
    const piece = json.slice(from, from + 1 + random.integer(12))
    return { bytes: fileOf(json.slice(0, to) + piece + json.slice(to), file.data), never: false }
  },
  'a byte of the data': (file, random) => {
    file.data[random.integer(file.data.length)] ^= 1 + random.integer(255)
    return { bytes: fileOf(textOf(file), file.data), never: false }
  },
}

/** The header's text. */
export function textOf({ header, metadata }: Draft): string {
  return JSON.stringify(metadata ? { __metadata__: metadata, ...header } : header)
}

/** A sound file's parts. */
export function draftOf(bytes: Uint8Array): Draft {
  const whole = Buffer.from(bytes)
  const start = 8 + Number(whole.readBigUInt64LE())
  const { __metadata__: metadata, ...header } = JSON.parse(whole.subarray(8, start).toString())
  return { header, data: whole.subarray(start), metadata }
}

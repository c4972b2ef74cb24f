/**
 * TensorBoard's event files: records of protobuf messages, each with its length and checksums. Just the messages that
 * scalars and histograms need. Source: tensorflow/core/util/event.proto, framework/summary.proto, lib/io/record_writer.
 */

/** What a summary says under one tag. */
export type Value = { tag: string; scalar: number } | { tag: string; histogram: Histogram }

/** Counts of values between limits; `limits[i]` is the upper end of bucket i. */
export interface Histogram {
  min: number
  max: number
  count: number
  sum: number
  sumOfSquares: number
  limits: number[]
  counts: number[]
}

/** The first record of a file. `time` in seconds since 1970. */
export function versionEvent(time: number): Uint8Array {
  return record(message([double(1, time), text(3, 'brain.Event:2')]))
}

/** A record with the values of one step. */
export function summaryEvent(time: number, step: number, values: readonly Value[]): Uint8Array {
  const summary = message(values.map(value => bytes(1, valueMessage(value))))
  return record(message([double(1, time), varint(2, step), bytes(5, summary)]))
}

function valueMessage(value: Value): Uint8Array {
  const content = 'scalar' in value ? float(2, value.scalar) : bytes(5, histogramMessage(value.histogram))
  return message([text(1, value.tag), content])
}

function histogramMessage({ min, max, count, sum, sumOfSquares, limits, counts }: Histogram): Uint8Array {
  const numbers = [min, max, count, sum, sumOfSquares].map((value, i) => double(i + 1, value))
  return message([...numbers, bytes(6, doubles(limits)), bytes(7, doubles(counts))])
}

/** Counts of the finite values in `buckets` parts of equal width; null where there is none. */
export function histogramOf(values: ArrayLike<number>, buckets = 30): Histogram | null {
  const finite = Array.from(values).filter(Number.isFinite)
  if (finite.length === 0) return null
  const [min, max] = [Math.min, Math.max].map(pick => finite.reduce((end, value) => pick(end, value), finite[0]))
  const width = (max - min || 1) / buckets
  const counts = new Array<number>(buckets).fill(0)
  for (const value of finite) counts[Math.min(buckets - 1, Math.floor((value - min) / width))]++
  return {
    ...{ min, max, count: finite.length, counts },
    sum: finite.reduce((sum, value) => sum + value, 0),
    sumOfSquares: finite.reduce((sum, value) => sum + value * value, 0),
    limits: counts.map((_, i) => min + (i + 1) * width),
  }
}

// Protobuf: fields are a key (number << 3 | wire type) and a value.

function message(fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields)
}

function varintBytes(value: number): number[] {
  const low = value % 128
  return value < 128 ? [low] : [low | 128, ...varintBytes(Math.floor(value / 128))]
}

function varint(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varintBytes(field * 8), ...varintBytes(value)])
}

function float(field: number, value: number): Uint8Array {
  const content = Buffer.alloc(4)
  content.writeFloatLE(value)
  return Buffer.concat([Uint8Array.from(varintBytes(field * 8 + 5)), content])
}

function double(field: number, value: number): Uint8Array {
  return Buffer.concat([Uint8Array.from(varintBytes(field * 8 + 1)), doubles([value])])
}

function doubles(values: readonly number[]): Uint8Array {
  const content = Buffer.alloc(8 * values.length)
  for (const [i, value] of values.entries()) content.writeDoubleLE(value, 8 * i)
  return content
}

function bytes(field: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from([...varintBytes(field * 8 + 2), ...varintBytes(content.length)]), content])
}

function text(field: number, content: string): Uint8Array {
  return bytes(field, Buffer.from(content))
}

// Records: length (uint64), its checksum, the data, its checksum, all little-endian.

function record(data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12)
  head.writeBigUInt64LE(BigInt(data.length))
  head.writeUInt32LE(maskedCrc(head.subarray(0, 8)), 8)
  const tail = Buffer.alloc(4)
  tail.writeUInt32LE(maskedCrc(data))
  return Buffer.concat([head, data, tail])
}

/** CRC-32C, bits reflected: Castagnoli's polynomial. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** Rotated and shifted, so that a checksum of data that hold checksums stays good. */
function maskedCrc(data: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of data) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8)
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

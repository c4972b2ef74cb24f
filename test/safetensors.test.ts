/** safetensors against Python's library, and what is refused: by name, and by thousands of mutations. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { io, type Tensor, tensor } from 'anneal'
import { afterAll, describe, expect, it } from 'vitest'
import { driveSync } from '../src/base/drive.js'
import { float16ToNumber } from '../src/base/float16.js'
import { waitingDisk } from '../src/io/disk.js'
import { decodeSafetensors, encodeSafetensors, readSafetensors } from '../src/io/safetensors.js'
import { withFile } from '../src/io/source.js'
import { type Chance, cases, chance } from './helpers/campaign.js'
import { type Draft, fileOf, mutations, naive } from './helpers/file_mutations.js'
import { golden } from './helpers/golden.js'

interface Case {
  name: string
  bytes: string
  metadata: Record<string, string>
  tensors: Record<string, { dtype: string; shape: number[]; values: string[] }>
}

const files: Case[] = golden('safetensors.json').cases
const bytesOf = (name: string) => Buffer.from(files.find(file => file.name === name)!.bytes, 'base64')
const folder = mkdtempSync(join(tmpdir(), 'anneal-safetensors-'))
afterAll(() => rmSync(folder, { recursive: true }))
const inFolder = (name: string) => join(folder, name)

const pythonNumber = (text: string) =>
  text === 'True' ? 1 : text === 'False' ? 0 : Number(text.replace('inf', 'Infinity'))

function expectHolds(tensors: Record<string, Tensor>, want: Case['tensors']) {
  expect(Object.keys(tensors).sort()).toEqual(Object.keys(want).sort())
  for (const [name, { dtype, shape, values }] of Object.entries(want)) {
    expect(tensors[name].shape, name).toEqual(shape)
    expect(tensors[name].dtype, name).toBe(/float/.test(dtype) ? 'float32' : 'int32')
    expect([...tensors[name].data], name).toEqual(values.map(pythonNumber))
  }
}

/** The error that `act` throws, as its code and text. */
function refusal(act: () => unknown): { code: string; message: string } | null {
  try {
    act()
    return null
  } catch (error) {
    return error as { code: string; message: string }
  }
}

describe('files of Python', () => {
  it.each(files.slice(0, 4))('$name is read', async ({ bytes, tensors, metadata }) => {
    const path = inFolder('python.safetensors')
    writeFileSync(path, Buffer.from(bytes, 'base64'))
    for (const read of [await io.loadSafetensors(path), io.loadSafetensors.sync(path)]) {
      expectHolds(read.tensors, tensors)
      expect({ ...read.metadata }).toEqual(metadata)
      expect(Object.getPrototypeOf(read.tensors)).toBe(null)
    }
  })

  it.each(files.slice(1, 4))('$name is written with the same bytes', async ({ bytes }) => {
    const { tensors, metadata } = decodeSafetensors(Buffer.from(bytes, 'base64'))
    const options = Object.keys(metadata).length ? { metadata } : {}
    expect(Buffer.from(encodeSafetensors(tensors, options)).toString('base64')).toBe(bytes)
    const path = inFolder('ours.safetensors')
    await io.saveSafetensors(path, tensors, options)
    expect(readFileSync(path).toString('base64')).toBe(bytes)
    io.saveSafetensors.sync(path, tensors, options)
    expect(readFileSync(path).toString('base64')).toBe(bytes)
  })

  it('what does not fit is refused, or narrowed as PyTorch does where asked for', () => {
    const narrowed = { 'misfit f64': [1, Math.fround(0.1)], 'misfit i64': [1, 7, -5], 'misfit u32': [3, -2] }
    for (const [name, values] of Object.entries({ ...narrowed, 'misfit u64': [3, -(2 ** 31)] })) {
      const found = refusal(() => decodeSafetensors(bytesOf(name), { name: 'a.safetensors' }))
      expect(found?.code).toBe('ERR_FILE_FORMAT')
      expect(found?.message).toMatch(
        /^a\.safetensors, "x": expected .* values that .* can hold .* but received .* at 1$/,
      )
      expect([...decodeSafetensors(bytesOf(name), { narrow: true }).tensors.x.data]).toEqual(values)
    }
  })

  it('other dtypes and more than 8 dimensions are refused by name', () => {
    expect(refusal(() => decodeSafetensors(bytesOf('complex')))?.message).toMatch(
      /"x": expected dtype to be one of F32/,
    )
    expect(refusal(() => decodeSafetensors(bytesOf('rank 9')))?.message).toMatch(/"x": expected at most 8 sizes/)
  })

  it('every float16 is its sign, exponent and fraction', () => {
    for (let bits = 0; bits < 1 << 16; bits++) {
      const exponent = (bits >> 10) & 31
      const fraction = (bits & 1023) / 1024
      const size = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15)
      const want = exponent < 31 ? size : fraction ? NaN : Infinity
      if (!Object.is(float16ToNumber(bits), bits & 0x8000 ? -want : want)) expect.fail(`bits ${bits}`)
    }
  })

  const python = process.env.ANNEAL_PYTHON
  const title = `Python reads ours, and writes them again with the same bytes (${python ? 'found' : 'skipped: no ANNEAL_PYTHON'})`
  it.skipIf(!python)(title, () => {
    const path = inFolder('live.safetensors')
    const script = fileURLToPath(new URL('./golden/make_safetensors.py', import.meta.url))
    const random = chance(7)
    for (let round = 0; round < 3; round++) {
      const tensors = Object.fromEntries(
        Array.from({ length: 6 }, (_, i) => {
          const shape = Array.from({ length: random.integer(5) }, () => random.integer(4))
          const size = shape.reduce((a, b) => a * b, 1)
          const values = Array.from({ length: size }, () => random.integer(2 ** 20) - 2 ** 19)
          return [`layer.${i}.ü`, tensor(i % 2 ? Int32Array.from(values) : Float32Array.from(values), { shape })]
        }),
      )
      io.saveSafetensors.sync(path, tensors, { metadata: { round: String(round) } })
      const python = spawnSync(process.env.ANNEAL_PYTHON!, [script, path], { encoding: 'utf8' })
      expect(python.status, python.stderr).toBe(0)
      const read = JSON.parse(python.stdout)
      expect(read.metadata).toEqual({ round: String(round) })
      expectHolds(tensors, read.tensors)
      expect(readFileSync(`${path}.again`).equals(readFileSync(path))).toBe(true)
    }
  })
})

describe('saving', () => {
  it('keeps the values of the call, whatever happens before the promise settles', async () => {
    const x = tensor([1, 2, 3])
    const saved = io.saveSafetensors(inFolder('x.safetensors'), { x })
    x.data.fill(9)
    await saved
    expect([...io.loadSafetensors.sync(inFolder('x.safetensors')).tensors.x.data]).toEqual([1, 2, 3])
  })

  it('refuses what no file can hold, and leaves no file', async () => {
    const path = inFolder('refused.safetensors')
    const x = tensor([1])
    const named = (name: string) => Object.fromEntries([[name, x]])
    const detached = tensor([1, 2])
    structuredClone(detached.data.buffer, { transfer: [detached.data.buffer as ArrayBuffer] })
    // biome-ignore lint/suspicious/noExplicitAny: arguments of every wrong type.
    const wrong: [any, any, any, string][] = [
      [path, null, {}, 'ERR_ARG_TYPE'],
      [path, [x], {}, 'ERR_ARG_TYPE'],
      [path, x, {}, 'ERR_ARG_TYPE'],
      [path, { x: [1] }, {}, 'ERR_ARG_TYPE'],
      [path, named('__metadata__'), {}, 'ERR_ARG_VALUE'],
      [path, named('__proto__'), {}, 'ERR_ARG_VALUE'],
      [path, named('half \ud800'), {}, 'ERR_ARG_VALUE'],
      [path, { x: tensor([1], { shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] }) }, {}, 'ERR_SHAPE'],
      [path, { x: detached }, {}, 'ERR_DETACHED'],
      [path, { x }, { metadata: { a: 1 } }, 'ERR_ARG_TYPE'],
      [path, { x }, { meta: {} }, 'ERR_ARG_TYPE'],
      ['', { x }, {}, 'ERR_ARG_TYPE'],
      [3, { x }, {}, 'ERR_ARG_TYPE'],
    ]
    for (const [where, tensors, options, code] of wrong) {
      expect(refusal(() => io.saveSafetensors.sync(where, tensors, options))?.code).toBe(code)
      await expect(io.saveSafetensors(where, tensors, options)).rejects.toMatchObject({ code })
    }
    expect(refusal(() => io.loadSafetensors.sync(path))?.code).toBe('ENOENT')
    await expect(io.loadSafetensors(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('the named list of broken files', () => {
  const entry = (shape: string, offsets: string, dtype = '"F32"') =>
    `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`
  const x = entry('[2]', '[0,8]')
  const data = new Uint8Array(8)
  const long = 'y'.repeat(200_000)
  const broken: [string, Uint8Array, RegExp][] = [
    ['empty', new Uint8Array(0), /at least 8 bytes but received 0/],
    ['seven bytes', new Uint8Array(7), /at least 8 bytes but received 7/],
    ['no header', fileOf('', data), /\{ at character 0 but received the end/],
    ['a header beyond the cap', fileOf('{}', data, 2n ** 64n - 1n), /at most 100000000 bytes/],
    ['a header beyond the file', fileOf('{}', data, 11), /within the 18 bytes/],
    ['not UTF-8', fileOf(Uint8Array.of(123, 34, 0xff, 34, 125), data), /UTF-8/],
    ['a byte order mark', fileOf(`\ufeff{"x":${x}}`, data), /\{ at character 0/],
    ['an array', fileOf('[]', data), /\{ at character 0/],
    ['an open object', fileOf(`{"x":${x}`, data), /, or \} at character/],
    ['text after the header', fileOf(`{"x":${x}}{}`, data), /nothing more at character/],
    ['a trailing comma', fileOf(`{"x":${x},}`, data), /a string at character/],
    ['a key twice', fileOf(`{"x":${x},"x":${x}}`, data), /every key once but received "x" twice/],
    ['a key twice, escaped', fileOf(`{"x":${x},"\\u0078":${x}}`, data), /every key once/],
    ['a field twice', fileOf(`{"x":{"dtype":"F32","dtype":"F32"}}`, data), /"x": .*every key once/],
    ['__proto__', fileOf(`{"__proto__":${x}}`, data), /no key "__proto__"/],
    ['__proto__ within', fileOf(`{"x":{"__proto__":{}}}`, data), /no key "__proto__"/],
    ['__proto__ in the metadata', fileOf(`{"__metadata__":{"__proto__":"a"},"x":${x}}`, data), /no key "__proto__"/],
    ['metadata that is no text', fileOf(`{"__metadata__":{"a":1},"x":${x}}`, data), /"__metadata__": .*a string at/],
    ['deep JSON', fileOf(`{"x":${'['.repeat(100_000)}`, data), /"x": .*\{ at character/],
    ['deep JSON in a shape', fileOf(`{"x":${entry('['.repeat(100_000), '[0,8]')}}`, data), /an integer from 0/],
    ['a long string that never ends', fileOf(`{"x${long}`, data), /a string at character/],
    ['an escape that is none', fileOf(`{"x\\q":${x}}`, data), /a string at character 1/],
    ['a control character', fileOf(`{"x\n":${x}}`, data), /a string at character 1/],
    ['an unknown field', fileOf(`{"x":{"dtype":"F32","code":"1"}}`, data), /alone but received "code"/],
    ['a field missing', fileOf(`{"x":{"dtype":"F32","shape":[2]}}`, data), /dtype, shape and two data_offsets/],
    ['one offset', fileOf(`{"x":${entry('[2]', '[0]')}}`, data), /two data_offsets/],
    ['three offsets', fileOf(`{"x":${entry('[2]', '[0,8,9]')}}`, data), /two data_offsets/],
    ['an unknown dtype', fileOf(`{"x":${entry('[2]', '[0,8]', '"F31"')}}`, data), /dtype to be one of/],
    ['a negative size', fileOf(`{"x":${entry('[-2]', '[0,8]')}}`, data), /an integer from 0/],
    ['a fraction', fileOf(`{"x":${entry('[2.0]', '[0,8]')}}`, data), /an integer from 0/],
    ['an exponent', fileOf(`{"x":${entry('[2e0]', '[0,8]')}}`, data), /an integer from 0/],
    ['a leading zero', fileOf(`{"x":${entry('[02]', '[0,8]')}}`, data), /an integer from 0/],
    ['2^53', fileOf(`{"x":${entry('[9007199254740992]', '[0,8]')}}`, data), /an integer from 0/],
    ['a product past 2^53', fileOf(`{"x":${entry('[4294967296,4294967296]', '[0,8]')}}`, data), /at most 2147483647/],
    ['a huge size beside a zero', fileOf(`{"x":${entry('[4294967296,0]', '[0,0]')}}`, data), /at most 2147483647/],
    ['too many bytes for the shape', fileOf(`{"x":${entry('[3]', '[0,8]')}}`, data), /12 bytes for F32 \[3\]/],
    ['offsets backwards', fileOf(`{"x":${entry('[2]', '[8,0]')}}`, data), /8 bytes for F32/],
    ['a hole before', fileOf(`{"x":${entry('[1]', '[4,8]')}}`, data), /begin at 0/],
    ['a hole between', fileOf(`{"x":${entry('[1]', '[0,4]')},"y":${entry('[1]', '[8,12]')}}`, data), /begin at 4/],
    ['an overlap', fileOf(`{"x":${x},"y":${entry('[1]', '[4,8]')}}`, data), /"y": .*begin at 8/],
    ['the same bytes twice', fileOf(`{"x":${x},"y":${x}}`, data), /begin at 8/],
    [
      'bytes left over',
      fileOf(`{"x":${entry('[1]', '[0,4]')}}`, data),
      /fill all 8 bytes after the header but received 4/,
    ],
    ['beyond the file', fileOf(`{"x":${entry('[3]', '[0,12]')}}`, data), /within the 8 bytes/],
    [
      'a boolean of 2',
      fileOf(
        `{"x":${entry('[8]', '[0,8]', '"BOOL"')}}`,
        data.map(() => 2),
      ),
      /true or false.*2 at 0/,
    ],
  ]
  it.each(broken)('%s', async (name, bytes, message) => {
    const path = inFolder(`${name.replace(/\W/g, '-')}.safetensors`)
    writeFileSync(path, bytes)
    const found = refusal(() => io.loadSafetensors.sync(path))
    expect(found).toMatchObject({ name: 'AnnealError', code: 'ERR_FILE_FORMAT' })
    expect(found?.message).toMatch(message)
    expect(found?.message.startsWith(path)).toBe(true)
    await expect(io.loadSafetensors(path)).rejects.toThrow(found?.message)
  })

  it('white space, any order of entries and empty tensors are sound', () => {
    const header = ` {"y" : ${entry('[1]', '[4,8]')} ,\n"x":${entry('[]', '[0,4]')}, "z":${entry('[0,5]', '[4,4]')}}\t `
    const { tensors } = decodeSafetensors(fileOf(header, data))
    expect(Object.keys(tensors)).toEqual(['x', 'z', 'y'])
    expect(tensors.z.shape).toEqual([0, 5])
  })
})

function loaded(bytes: Buffer): Record<string, string> {
  const { tensors } = decodeSafetensors(bytes)
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
      name,
      `${dtype} ${shape} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')}`,
    ]),
  )
}

function draft(random: Chance): Draft {
  let end = 0
  const header: Draft['header'] = {}
  for (let i = 0; i < 2 + random.integer(4); i++) {
    const shape = Array.from({ length: random.integer(4) }, () => 1 + random.integer(4))
    const begin = end
    end += 4 * shape.reduce((a, b) => a * b, 1)
    header[`layer${i}.weight`] = { dtype: random.pick(['F32', 'I32']), shape, data_offsets: [begin, end] }
  }
  return { header, data: random.bytes(end) }
}

describe('mutations', () => {
  const perKind = Math.ceil(cases(1000, 10_000) / Object.keys(mutations).length)
  it.each(Object.entries(mutations))(`%s, ${perKind} times`, (name, mutate) => {
    let accepted = 0
    for (let i = 0; i < perKind; i++) {
      const seed = i * 31 + name.length
      const random = chance(seed)
      const { bytes, never } = mutate(draft(random), random)
      const error = refusal(() => decodeSafetensors(bytes))
      if (error) expect(error, `seed ${seed}`).toMatchObject({ name: 'AnnealError', code: 'ERR_FILE_FORMAT' })
      else expect(loaded(bytes), `seed ${seed}`).toEqual(naive(bytes))
      if (!error) accepted++
      if (never) expect(error, `seed ${seed}: ${bytes.toString('latin1')}`).not.toBe(null)
    }
    expect(accepted < perKind || name === 'a byte of the data').toBe(true)
  })

  it('a small file cut at every byte', () => {
    const path = inFolder('cut.safetensors')
    const whole = Buffer.from(encodeSafetensors({ x: tensor([1, 2]), y: tensor([3], { dtype: 'int32' }) }))
    writeFileSync(path, whole)
    for (let length = whole.length - 1; length >= 0; length--) {
      truncateSync(path, length)
      expect(
        refusal(() => io.loadSafetensors.sync(path)),
        `${length} bytes`,
      ).toMatchObject({ code: 'ERR_FILE_FORMAT' })
    }
  })
})

describe('memory', () => {
  /** Most bytes in array buffers at any read beyond the start. */
  function peakOf(path: string, narrow = false): number {
    const start = process.memoryUsage().arrayBuffers
    let peak = 0
    const look = () => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - start)
    }
    const watching = {
      ...waitingDisk,
      read(fd: number, into: Uint8Array, at: number) {
        look()
        return waitingDisk.read(fd, into, at)
      },
    }
    driveSync(
      'test',
      withFile(watching, path, source => readSafetensors(source, narrow)),
    )
    look()
    return peak
  }

  it('nothing is taken for a file that lies about its size', () => {
    const path = inFolder('lies.safetensors')
    writeFileSync(
      path,
      fileOf('{"x":{"dtype":"F32","shape":[500000000],"data_offsets":[0,2000000000]}}', new Uint8Array(64)),
    )
    expect(() => peakOf(path)).toThrow('within the 64 bytes')
  })

  it('beyond the results nothing is taken but the header and a piece', () => {
    const path = inFolder('large.safetensors')
    const values = new Uint8Array(8 << 20)
    const header = `{"x":{"dtype":"F64","shape":[1048576],"data_offsets":[0,8388608]}}`
    writeFileSync(path, fileOf(header, values))
    expect(peakOf(path)).toBeLessThan((4 << 20) + (1 << 20))
    io.saveSafetensors.sync(path, { x: tensor(new Float32Array(2 << 20)) })
    expect(peakOf(path)).toBeLessThan((8 << 20) + (1 << 20))
  })
})

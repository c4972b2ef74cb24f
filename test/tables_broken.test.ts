/** Broken tables: each is a named error with its place or a sound table, soon, and in little memory. */
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { data } from 'anneal'
import { describe, expect, it } from 'vitest'
import { type Chance, cases, chance } from './helpers/campaign.js'
import { golden } from './helpers/golden.js'

const files: { name: string; bytes: string }[] = golden('tables.json').cases
const of = (pattern: RegExp) =>
  files
    .filter(({ name }) => pattern.test(name) && !name.startsWith('refused'))
    .map(({ bytes }) => Buffer.from(bytes, 'base64'))

type Options = Parameters<typeof data.readTable>[1]
interface Broken {
  bytes: Uint8Array
  options?: Options
  /** What the message must say; absent where the file may still be sound. */
  says?: RegExp
}

/** Lines of numbers with a header, as cells. */
function grid(random: Chance): string[][] {
  const columns = 2 + random.integer(5)
  const names = Array.from({ length: columns }, (_, c) => `c${c}`)
  const row = () => names.map(() => String(random.integer(1000) / 8))
  return [names, ...Array.from({ length: 1 + random.integer(30) }, row)]
}
const csvOf = (cells: readonly string[][], end = '\n') => Buffer.from(cells.map(row => row.join()).join(end) + end)
const someRow = (cells: readonly string[][], random: Chance) => 1 + random.integer(cells.length - 1)

/** A file with a few of its first bytes changed, or any where there are few. */
function flipped(bytes: Buffer, random: Chance): Buffer {
  const copy = Buffer.from(bytes)
  const reach = random.pick([16, 64, 256, copy.length])
  for (let i = 0; i <= random.integer(3); i++) copy[random.integer(Math.min(reach, copy.length))] = random.integer(256)
  return copy
}

const mutations: Record<string, (random: Chance) => Broken> = {
  'a row too long or short': random => {
    const cells = grid(random)
    const row = someRow(cells, random)
    cells[row] = random.integer(2) ? [...cells[row], '7'] : cells[row].slice(1)
    return { bytes: csvOf(cells), says: new RegExp(`^buffer, line ${row + 1}: expected ${cells[0].length} cells but`) }
  },
  'a quote never closed': random => {
    const cells = grid(random)
    cells[someRow(cells, random)][random.integer(cells[0].length)] = '"1'
    return { bytes: csvOf(cells), says: /^buffer, line \d+, column "c\d": expected every quote closed/ }
  },
  'text after a quote': random => {
    const cells = grid(random)
    const [row, column] = [someRow(cells, random), random.integer(cells[0].length)]
    cells[row][column] = '"1"x'
    return { bytes: csvOf(cells), says: new RegExp(`^buffer, line ${row + 1}, column "c${column}": .* closing quote`) }
  },
  'a cell of another type': random => {
    const cells = grid(random)
    const [row, column] = [someRow(cells, random), random.integer(cells[0].length)]
    const cell = random.pick(['x', '1,5', '12a', '--1', '0x1f', '1 2'])
    cells[row][column] = `"${cell}"`
    const says = new RegExp(`^buffer, line ${row + 1}, column "c${column}": expected a number but received "${cell}"$`)
    return {
      bytes: csvOf(cells, random.pick(['\n', '\r\n'])),
      options: { columns: { [`c${column}`]: 'number' } },
      says,
    }
  },
  'no integer, NaN among them': random => {
    const cells = grid(random)
    const row = someRow(cells, random)
    cells.forEach((line, i) => {
      if (i > 0) line[0] = i === row ? random.pick(['0.5', 'inf', 'not a number']) : String(i)
    })
    const says = new RegExp(`^buffer, line ${row + 1}, column "c0": expected an integer but received`)
    return { bytes: csvOf(cells), options: { columns: { c0: 'integer' } }, says }
  },
  'a name twice': random => {
    const cells = grid(random)
    cells[0][1] = cells[0][0]
    return { bytes: csvOf(cells), says: /^buffer, line 1: expected every column named once but received "c0"/ }
  },
  'no UTF-8': random => {
    const bytes = csvOf(grid(random))
    bytes[random.integer(bytes.length)] = random.pick([0xff, 0xc0, 0x80, 0xe2])
    return { bytes, says: /^buffer, (near )?byte \d+: expected text in UTF-8/ }
  },
  'UTF-16': random => ({
    bytes: Buffer.from(`\ufeff${csvOf(grid(random))}`, 'utf16le'),
    says: /^buffer: expected text in UTF-8 but received UTF-16/,
  }),
  'a line of JSON cut': random => {
    const lines = Array.from({ length: 1 + random.integer(20) }, (_, i) =>
      JSON.stringify({ a: i, b: 'text', c: [null, true][i % 2] }),
    )
    const row = random.integer(lines.length)
    lines[row] = lines[row].slice(0, 1 + random.integer(lines[row].length - 1))
    return {
      bytes: Buffer.from(lines.join('\n')),
      options: { format: 'jsonl' },
      says: new RegExp(`^buffer, line ${row + 1}: expected an object in JSON`),
    }
  },
  'JSON of another type': random => {
    const lines = Array.from({ length: 2 + random.integer(20) }, (_, i) => JSON.stringify({ a: i }))
    const row = 1 + random.integer(lines.length - 1)
    lines[row] = random.pick([
      '{"a":"x"}',
      '{"a":true}',
      '{"a":[1]}',
      '{"a":{"b":1}}',
      '[1]',
      '3',
      'null',
      '"a"',
      'NaN',
    ])
    return {
      bytes: Buffer.from(lines.join('\n')),
      options: { format: 'jsonl' },
      says: new RegExp(`^buffer, line ${row + 1}(, column "a")?: expected`),
    }
  },
  'npy cut': random => cut(random.pick(of(/\.npy$/)), random, 'npy'),
  'npz cut': random => cut(random.pick(of(/\.npz$/)), random, 'npz'),
  'idx cut': random => cut(random.pick(of(/\.idx$/)), random, 'idx'),
  'parquet cut': random => cut(random.pick(of(/\.parquet$/)), random, 'parquet'),
  'arrow file cut': random => cut(random.pick(of(/^file\.arrow$/)), random, 'arrow'),
  'gzip cut': random => cut(gzipSync(csvOf(grid(random))), random, 'csv'),
  'wrong magic': random => {
    const [pattern, format] = random.pick([
      [/\.npy$/, 'npy'],
      [/\.npz$/, 'npz'],
      [/\.idx$/, 'idx'],
      [/\.parquet$/, 'parquet'],
      [/\.arrow$/, 'arrow'],
    ] as const)
    const bytes = Buffer.from(random.pick(of(pattern)))
    bytes[random.integer(2)] ^= 1 + random.integer(255)
    return { bytes, options: { format }, says: /^buffer/ }
  },
  'npy with lying sizes': random => {
    const bytes = Buffer.from(random.pick(of(/^cube-1\.npy$/)))
    const sizes = random.pick([
      '(9, 2, 3)',
      '(4, 2, 9)',
      '(2147483647, 2, 3)',
      '(4, 2, 3, 9)',
      '(0,)',
      '()',
      '(999999999999, 0)',
      '(4, 2',
    ])
    const at = bytes.indexOf('(4, 2, 3)')
    bytes.write(sizes.padEnd(30), at)
    return { bytes, says: /^buffer: expected / }
  },
  'idx with lying sizes': random => {
    const bytes = Buffer.from(random.pick(of(/\.idx$/)))
    bytes.writeUInt32BE(random.pick([0, 1, 4, 2 ** 31, 2 ** 32 - 1]), 4 + 4 * random.integer(1))
    return { bytes, says: /^buffer: expected \d+ bytes for/ }
  },
  'npz with bytes changed': random => ({
    bytes: flipped(random.pick(of(/\.npz$/)), random),
    options: { format: 'npz' },
  }),
  'npy with bytes changed': random => ({
    bytes: flipped(random.pick(of(/\.npy$/)), random),
    options: { format: 'npy' },
  }),
  'parquet with bytes changed': random => ({
    bytes: flipped(random.pick(of(/\.parquet$/)), random),
    options: { format: 'parquet' },
  }),
  'arrow with bytes changed': random => ({
    bytes: flipped(random.pick(of(/\.arrow$/)), random),
    options: { format: 'arrow' },
  }),
  'arrow with lying counts': random => {
    const bytes = Buffer.from(random.pick(of(/\.arrow$/)))
    const lie = random.pick([0, -1, 255, 2 ** 24, 2 ** 30, 2 ** 31 - 1, -(2 ** 31)])
    bytes.writeInt32LE(lie, 4 * random.integer(Math.floor(bytes.length / 4)))
    return { bytes, options: { format: 'arrow' } }
  },
  'csv with bytes changed': random => ({
    bytes: flipped(random.pick(of(/\.csv$/)), random),
    options: { format: 'csv' },
  }),
}

function cut(bytes: Buffer, random: Chance, format: NonNullable<Options>['format']): Broken {
  return { bytes: bytes.subarray(0, 2 + random.integer(bytes.length - 2)), options: { format }, says: /^buffer/ }
}

describe('broken files', () => {
  const perKind = Math.ceil(cases(300, 2400) / Object.keys(mutations).length)
  const start = process.resourceUsage().maxRSS
  it.each(Object.entries(mutations))(`%s, ${perKind} times`, async (name, mutate) => {
    for (let i = 0; i < perKind; i++) {
      const seed = 1000 * name.length + i
      const { bytes, options, says } = mutate(chance(seed))
      const began = performance.now()
      const error = await data.readTable(bytes, options).then(
        () => null,
        (error: unknown) => error,
      )
      const shown = `seed ${seed}: ${Buffer.from(bytes).toString('latin1').slice(0, 300)}`
      expect(performance.now() - began, shown).toBeLessThan(5000)
      if (error)
        expect(error, shown).toMatchObject({ name: 'AnnealError', code: 'ERR_FILE_FORMAT', message: says ?? /^buffer/ })
      if (says) expect(error, shown).not.toBe(null)
    }
  })

  it('none of them took memory to speak of', () => {
    expect(process.resourceUsage().maxRSS - start).toBeLessThan(300_000) // kilobytes; a lying count would be gigabytes
  })
})

setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')

/** A stream of pieces, and the most memory in use at any of them beyond the start. */
function watched(pieces: Iterable<Uint8Array>): { source: Readable; peak: () => number } {
  const used = () => {
    gc()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const start = used()
  let peak = 0
  function* watching() {
    let i = 0
    for (const piece of pieces) {
      if (i++ % 32 === 0) peak = Math.max(peak, used() - start)
      yield piece
    }
  }
  return { source: Readable.from(watching()), peak: () => peak }
}

function* repeated(first: string, piece: string, bytes: number, last = ''): Generator<Buffer> {
  yield Buffer.from(first)
  const block = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)))
  for (let at = 0; at < bytes; at += block.length) yield block
  yield Buffer.from(last)
}

describe('memory and time of large broken inputs', () => {
  const size = 12 << 20
  const endless = Number.POSITIVE_INFINITY
  it.each([
    ['a quote never closed', repeated('a,b\n"', '1,2\n', endless), 'csv', 3, /line \d+.*expected a record of at most/],
    [
      'a line that never ends',
      repeated('a,b\n1,', '22222222', endless),
      'csv',
      3,
      /line 2.*expected a record of at most/,
    ],
    [
      'a line of JSON that never ends',
      repeated('{"a":"', '22222222', endless),
      'jsonl',
      3,
      /line 1: expected a line of at most/,
    ],
    ['a ragged last row', repeated('a,b\n', '1.25,2.5\n', size, '1\n'), 'csv', 4, /line \d+: expected 2 cells/],
  ] as const)('%s', async (_, pieces, format, times, message) => {
    const { source, peak } = watched(pieces)
    await expect(data.readTable(source, { format })).rejects.toThrow(message)
    expect(peak()).toBeLessThan(times * 16 * 2 ** 20)
  })
})

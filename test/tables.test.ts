/** Tables: files of pandas, NumPy and pyarrow, rows of objects and columns, and what a table can do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { data, tensor } from 'anneal'
import { tableFromArrays } from 'apache-arrow'
import { afterAll, describe, expect, it } from 'vitest'
import { golden } from './helpers/golden.js'

interface Case {
  name: string
  bytes: string
  types: Record<string, string>
  shape: number[]
  columns: Record<string, (number | string | boolean | null)[]>
}

const files: Case[] = golden('tables.json').cases
const folder = mkdtempSync(join(tmpdir(), 'anneal-tables-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A value as the fixtures list it. */
function plain(value: unknown): unknown {
  if (typeof value === 'number' && Number.isNaN(value)) return null
  if (typeof value === 'bigint') return Math.abs(Number(value)) < 2 ** 53 ? Number(value) : String(value)
  return value instanceof Date
    ? value
        .toISOString()
        .replace('Z', '')
        .replace(/\.000$/, '')
    : value
}

const withMicros = (value: unknown) => (typeof value === 'string' ? value.replace(/(\.\d{3})000$/, '$1') : value)

describe('files of other libraries', () => {
  it.each(files.filter(({ name }) => !name.startsWith('refused')))(
    '$name',
    async ({ name, bytes, types, shape, columns }) => {
      const path = join(folder, name)
      writeFileSync(path, Buffer.from(bytes, 'base64'))
      const table = await data.readTable(path)
      expect(table.types).toEqual(types)
      expect(table.names).toEqual(Object.keys(columns))
      for (const [column, values] of Object.entries(columns))
        expect(Array.from(table.column(column), plain), column).toEqual(values.map(withMicros))
      if (shape.length) expect(table.toTensor('values').shape).toEqual([table.rows, ...shape])
    },
  )

  it.each(files.filter(({ name }) => name.startsWith('refused')))(
    '$name is compressed as the library does not read',
    async ({ bytes }) => {
      await expect(data.readTable(Buffer.from(bytes, 'base64'))).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' })
    },
  )

  it('buffers, streams, URLs and wrong endings are read by their first bytes', async () => {
    for (const { name, bytes, columns } of files.filter(({ name }) =>
      /^(file|stream|snappy|cube-1|savez|zipped|rows|type-8)\./.test(name),
    )) {
      const raw = Buffer.from(bytes, 'base64')
      const path = join(folder, `${name}.unknown`)
      writeFileSync(path, raw)
      const cut = () =>
        Readable.from(Array.from({ length: Math.ceil(raw.length / 7) }, (_, i) => raw.subarray(7 * i, 7 * i + 7)))
      for (const source of [raw, cut(), pathToFileURL(path), path]) {
        const table = await data.readTable(source)
        expect(Object.fromEntries(table.names.map(n => [n, Array.from(table.column(n), plain)])), name).toEqual(
          Object.fromEntries(Object.entries(columns).map(([n, values]) => [n, values.map(withMicros)])),
        )
      }
    }
    const text = Readable.from(['a,b\n1,', 'ü\n'])
    expect([...(await data.readTable(text))]).toEqual([{ a: 1, b: 'ü' }])
  })
})

const read = (text: string, options?: Parameters<typeof data.readTable>[1]) =>
  data.readTable(Buffer.from(text), options)
const typeOf = async (...cells: string[]) => (await read(`x,y\n${cells.map(cell => `${cell},0\n`).join('')}`)).types.x

describe('types told from texts', () => {
  it.each([
    ['integer', ['1', '-2', '+3', '9007199254740993']],
    ['integer', ['0', 'NA', '-0']],
    ['number', ['1', '2.5']],
    ['number', ['1.0', '2.0']],
    ['number', ['1e-5', '.5', '5.', '-inf', 'Infinity', 'nan']],
    ['number', ['', 'NA']],
    ['boolean', ['true', 'False', 'TRUE', '']],
    ['date', ['2024-02-29', '2024-01-01 10:30', '2024-01-01T10:30:15.123456Z', '2024-01-01T10:30:00+0130']],
    ['text', ['2023-02-29', '2024-01-01']],
    ['text', ['00123', '1', '2']],
    ['text', ['0x10', '1', '0b1']],
    ['text', ['1_000', '1', '2']],
    ['text', ['1', 'x']],
    ['text', ['true', '1']],
    ['category', ['a', 'a', 'b', 'b']],
    ['text', ['a', 'b', 'b']],
  ])('%s: %j', async (type, cells) => {
    expect(await typeOf(...cells)).toBe(type)
  })

  it('integers beyond 2^53 make a column of bigint, exactly', async () => {
    const { x } = { x: (await read('x,y\n1,0\n,0\n9007199254740993,0\n')).column('x') }
    expect(x).toEqual([1n, null, 9007199254740993n])
    const lines = await read('{"x":1}\n{"x":9007199254740993,"t":"a 12345678901234567890, \\"b"}\n{"x":null}\n')
    expect(lines.column('x')).toEqual([1n, 9007199254740993n, null])
    expect(lines.column('t')).toEqual([null, 'a 12345678901234567890, "b', null])
  })

  it('zones: without one a time is UTC', async () => {
    const table = await read(
      't,y\n2024-01-01,0\n2024-01-01 10:30,0\n2024-01-01T10:30:15.123456Z,0\n2024-01-01T10:30:00+0130,0\n',
    )
    expect(Array.from(table.column('t') as Date[], date => date.toISOString())).toEqual([
      ...[
        '2024-01-01T00:00:00.000Z',
        '2024-01-01T10:30:00.000Z',
        '2024-01-01T10:30:15.123Z',
        '2024-01-01T09:00:00.000Z',
      ],
    ])
  })

  it('options override: columns, missing, delimiter, header', async () => {
    const table = await read('zip;age\n00123;?\n7;4\n', { columns: { zip: 'text', age: 'number' }, missing: ['?'] })
    expect(table.types).toEqual({ zip: 'text', age: 'number' })
    expect([...table]).toEqual([
      { zip: '00123', age: NaN },
      { zip: '7', age: 4 },
    ])
    expect((await read('a,b\n,NA\n', { missing: [], columns: { a: 'text' } })).column('b')).toEqual(['NA'])
    expect((await read('1,2\n3,4\n')).names).toEqual(['column_0', 'column_1'])
    expect((await read('1,2\n3,4\n', { header: true })).names).toEqual(['1', '2'])
    expect((await read('a,b\n3,4\n', { header: false })).rows).toBe(2)
    expect((await read(',b\n0,x\n')).names).toEqual(['column_0', 'b'])
    expect((await read('a:b\n3:4\n', { delimiter: ':' })).names).toEqual(['a', 'b'])
    expect((await read('a\n\n1\n\n2\n')).rows).toBe(2)
    expect((await read('a,b\n')).rows).toBe(0)
  })

  it('a column is told from its first rows, and what comes later must fit, with its place', async () => {
    const rows = 201 // of a thousand columns: one more than types are told from
    const more = ',1'.repeat(999)
    const names = Array.from({ length: 1000 }, (_, c) => (c ? `c${c}` : 'x')).join()
    const text = `${names}\n${`1${more}\n`.repeat(rows)}`
    expect((await read(`${text}1.5${more}\n`)).types.x).toBe('number')
    await expect(read(`${text}?${more}\n`)).rejects.toMatchObject({
      code: 'ERR_FILE_FORMAT',
      message: `buffer, line ${rows + 2}, column "x": expected a number but received "?"`,
    })
  })
})

describe('tableFrom', () => {
  const rows = [
    { age: 30, city: 'Oslo', big: 2n ** 60n, member: true, day: new Date(0) },
    { age: null, city: undefined, big: 1, extra: 1.5 },
    {},
  ]
  it('rows of objects, in any iterable', async () => {
    async function* slowly() {
      yield* rows
    }
    for (const table of [data.tableFrom(rows), data.tableFrom(new Set(rows)), await data.tableFrom(slowly())]) {
      expect(table.types).toEqual({
        age: 'integer',
        city: 'text',
        big: 'integer',
        member: 'boolean',
        day: 'date',
        extra: 'number',
      })
      expect(table.column('age')).toEqual(Float64Array.of(30, NaN, NaN))
      expect(table.column('city')).toEqual(['Oslo', null, null])
      expect(table.column('big')).toEqual([2n ** 60n, 1n, null])
      expect(table.column('extra')).toEqual(Float64Array.of(NaN, 1.5, NaN))
      expect(table.column('day')).toEqual([new Date(0), null, null])
    }
  })

  it('columns: arrays, typed arrays, tensors', () => {
    const table = data.tableFrom({
      a: [1, 2.5],
      b: Int32Array.of(1, 2),
      c: tensor([
        [1, 2],
        [3, 4],
      ]),
      d: ['x', null],
    })
    expect(table.types).toEqual({ a: 'number', b: 'integer', c: 'number', d: 'text' })
    expect(table.toTensor('c').toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(() => data.tableFrom({ a: [1], b: [1, 2] })).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }))
  })

  it('Arrow tables', () => {
    const table = data.tableFrom(tableFromArrays({ x: Float32Array.of(1, 2), s: ['a', 'b'] }))
    expect([...table]).toEqual([
      { x: 1, s: 'a' },
      { x: 2, s: 'b' },
    ])
  })

  it('refuses what does not fit, with its place', () => {
    const cases: [unknown, string, RegExp][] = [
      [[{ a: 1 }, { a: 'x' }], 'ERR_DTYPE', /row 1, column "a": expected a number but received "x"/],
      [[{ a: 'x' }, { a: 1 }], 'ERR_DTYPE', /row 1, column "a": expected text but received 1/],
      [[{ a: { b: 1 } }], 'ERR_DTYPE', /row 0, column "a": expected a number, text, boolean, date or null/],
      [[{ a: 2n ** 60n }, { a: 1.5 }], 'ERR_DTYPE', /beyond 2\^53/],
      [[1], 'ERR_ARG_TYPE', /row 0 to be an object/],
      [null, 'ERR_ARG_TYPE', /rows of objects/],
      [Float32Array.of(1), 'ERR_ARG_TYPE', /rows of objects/],
      [{ a: 1 }, 'ERR_ARG_TYPE', /"a" to be an array/],
    ]
    for (const [source, code, message] of cases) {
      // biome-ignore lint/suspicious/noExplicitAny: arguments of every wrong type.
      const act = () => data.tableFrom(source as any)
      expect(act).toThrow(message)
      expect(act).toThrow(expect.objectContaining({ code }))
    }
    expect(() => data.tableFrom([{ a: 1 }], { columns: { b: 'text' } })).toThrow('columns to be among "a"')
  })
})

describe('a table', () => {
  const table = data.tableFrom({ a: [1, 2, 3], b: ['x', 'y', null], c: [true, false, null], d: [0.5, NaN, 2] })

  it('select, drop, take, head', () => {
    expect(table.select(['b', 'a']).names).toEqual(['b', 'a'])
    expect(table.drop(['b']).names).toEqual(['a', 'c', 'd'])
    expect([...table.take(Int32Array.of(2, 0)).select(['a', 'b'])]).toEqual([
      { a: 3, b: null },
      { a: 1, b: 'x' },
    ])
    expect(table.head(2).rows).toBe(2)
    expect(table.head(9).rows).toBe(3)
  })

  it('toTensor', () => {
    expect(table.toTensor(['a', 'd']).toArray()).toEqual([
      [1, 0.5],
      [2, NaN],
      [3, 2],
    ])
    expect(table.toTensor('a', { dtype: 'int32' })).toMatchObject({ shape: [3], dtype: 'int32' })
    expect(table.head(2).toTensor(['c']).toArray()).toEqual([[1], [0]])
    const refused: [() => unknown, string, RegExp][] = [
      [() => table.toTensor(), 'ERR_DTYPE', /numbers in "b".*OrdinalEncoder.*but received text/],
      [() => table.toTensor('d', { dtype: 'int32' }), 'ERR_DTYPE', /32-bit integers in "d" but received 0.5 in row 0/],
      [() => table.toTensor('c', { dtype: 'int32' }), 'ERR_DTYPE', /null in row 2/],
      [() => table.toTensor('z'), 'ERR_ARG_VALUE', /one of the columns "a", "b", "c", "d" but received "z"/],
      [() => table.take([3]), 'ERR_ARG_VALUE', /less than 3/],
      [() => table.select(['a', 'a']), 'ERR_ARG_VALUE', /every column once/],
      [() => table.select('a' as never), 'ERR_ARG_TYPE', /an array of column names/],
    ]
    for (const [act, code, message] of refused) {
      expect(act).toThrow(message)
      expect(act).toThrow(expect.objectContaining({ code }))
    }
  })

  it('prints names, types and rows', () => {
    expect(inspect(table.head(2)).split('\n')).toEqual([
      ...[
        '      a  b     c             d',
        'integer  text  boolean  number',
        '      1  x     true        0.5',
        '      2  y     false         ·',
      ],
      '2 rows × 4 columns',
    ])
  })

  it('names of a file mean nothing', async () => {
    const hostile = await read('__proto__,constructor\n1,2\n')
    expect(hostile.names).toEqual(['__proto__', 'constructor'])
    expect(hostile.column('__proto__')).toEqual(Float64Array.of(1))
    expect(({} as Record<string, unknown>).polluted).toBe(undefined)
    expect([...hostile][0].constructor).toBe(2)
  })

  it('splits like tensors', () => {
    const [train, test] = data.trainTestSplit(table, { testSize: 1, shuffle: false })
    expect([train.rows, test.rows]).toEqual([2, 1])
  })
})

describe('writeTable', () => {
  const table = data.tableFrom({
    n: [1, NaN, -0.1, 1e300, 2 ** -1074],
    i: [1, 2, 3, 4, 5],
    big: [2n ** 60n, 1n, 2n, null, 3n],
    flag: [true, false, null, true, false],
    day: [new Date('2020-02-29'), new Date('2020-02-29T12:30:00Z'), null, new Date(0), new Date(1)],
    words: ['plain', 'a, b', 'say "so"', 'two\nlines', ' space'],
  })

  it.each(['csv', 'tsv'])('%s that is read back is the same table', async format => {
    const path = join(folder, `written.${format}`)
    await data.writeTable(path, table)
    const again = await data.readTable(path)
    expect(again.names).toEqual(table.names)
    for (const name of table.names)
      expect([...(again.column(name) as Iterable<unknown>)]).toEqual([...(table.column(name) as Iterable<unknown>)])
  })

  it('writes many rows, and none', async () => {
    const path = join(folder, 'rows.csv')
    const long = data.tableFrom({ row: Float64Array.from({ length: 10_000 }, (_, i) => i / 3) })
    await data.writeTable(path, long)
    expect((await data.readTable(path)).column('row')).toEqual(long.column('row'))
    await data.writeTable(path, table.take([]))
    expect((await data.readTable(path)).names).toEqual(table.names)
  })

  it('refuses what it cannot write', async () => {
    const code = (promise: Promise<unknown>) => promise.then(String, error => error.code)
    expect(await code(data.writeTable('', table))).toBe('ERR_ARG_TYPE')
    expect(await code(data.writeTable('x.csv', {} as never))).toBe('ERR_ARG_TYPE')
    expect(await code(data.writeTable('x.csv', table, { format: 'xls' as never }))).toBe('ERR_ARG_VALUE')
    expect(await code(data.writeTable(join(folder, 'no', 'where.csv'), table))).toBe('ENOENT')
  })
})

describe('options and sources that are none', () => {
  it.each([
    [3, {}, 'ERR_ARG_TYPE'],
    [[1, 2], {}, 'ERR_ARG_TYPE'],
    ['/nowhere/at/all.csv', {}, 'ENOENT'],
    [tmpdir(), {}, 'EISDIR'],
    [Buffer.from('a\n1'), { format: 'xlsx' }, 'ERR_ARG_VALUE'],
    [Buffer.from('a\n1'), { columns: { a: 'float' } }, 'ERR_ARG_VALUE'],
    [Buffer.from('a\n1'), { columns: { b: 'text' } }, 'ERR_ARG_VALUE'],
    [Buffer.from('a\n1'), { delimiter: ',,' }, 'ERR_ARG_VALUE'],
    [Buffer.from('a\n1'), { missing: 'NA' }, 'ERR_ARG_TYPE'],
    [Buffer.from('a\n1'), { sep: ',' }, 'ERR_ARG_TYPE'],
    [Readable.from([1, 2]), {}, 'ERR_ARG_TYPE'],
  ])('%s %j: %s', async (source, options, code) => {
    await expect(data.readTable(source as never, options as never)).rejects.toMatchObject({ code })
  })
})

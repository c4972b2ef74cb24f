/** Rows of real databases as tables: better-sqlite3 where it could be built, and DuckDB. */
import { DuckDBInstance } from '@duckdb/node-api'
import { data } from 'anneal'
import { describe, expect, it } from 'vitest'
import { sqlite } from './helpers/sqlite.js'

const Sqlite = sqlite()

describe.skipIf(Sqlite === null)(`better-sqlite3 (${Sqlite ? 'found' : 'skipped: it could not be built'})`, () => {
  const database = () => {
    const db = new Sqlite!(':memory:')
    db.exec('CREATE TABLE people (age INTEGER, income REAL, city TEXT, big INTEGER)')
    const insert = db.prepare('INSERT INTO people VALUES (?, ?, ?, ?)')
    for (let i = 0; i < 1000; i++) insert.run(i, i % 3 ? i / 4 : null, `city ${i % 7}`, 2n ** 60n + BigInt(i))
    return db
  }

  it('all rows, one by one, and integers as bigint', () => {
    const db = database()
    const query = db.prepare('SELECT age, income, city FROM people')
    for (const table of [data.tableFrom(query.all()), data.tableFrom(query.iterate())]) {
      expect(table.types).toEqual({ age: 'integer', income: 'number', city: 'category' })
      expect(table.rows).toBe(1000)
      expect([...table.head(2)]).toEqual([
        { age: 0, income: NaN, city: 'city 0' },
        { age: 1, income: 0.25, city: 'city 1' },
      ])
    }
    const big = db.prepare('SELECT age, big FROM people').safeIntegers(true)
    const table = data.tableFrom(big.iterate())
    expect(table.column('big')[999]).toBe(2n ** 60n + 999n)
    expect(table.column('age')[999]).toBe(999)
    db.close()
  })
})

describe('DuckDB', () => {
  it('rows in memory, as a stream, and Parquet that it writes', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const select = `SELECT i::INTEGER AS age, CASE WHEN i % 3 > 0 THEN i / 4 END AS income, 'city ' || (i % 7) AS city,
      i % 2 = 0 AS member, DATE '2024-01-01' + i::INTEGER AS day FROM range(3000) t(i)`
    const rows = (await connection.runAndReadAll(select)).getRowObjectsJS()
    async function* streamed() {
      const result = await connection.stream(select)
      for await (const chunk of result.yieldRowObjectJs()) yield* chunk
    }
    for (const table of [data.tableFrom(rows), await data.tableFrom(streamed())]) {
      expect(table.types).toEqual({
        age: 'integer',
        income: 'number',
        city: 'category',
        member: 'boolean',
        day: 'date',
      })
      expect(table.rows).toBe(3000)
      expect([...table.take([1])]).toEqual([
        { age: 1, income: 0.25, city: 'city 1', member: false, day: new Date('2024-01-02') },
      ])
    }
  })
})

/** The examples that go from a table to a trained model: their accuracies, and that they are short. */

import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { runExample } from './helpers/run_example.js'

const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

describe('from a CSV to a test accuracy in 15 lines, mean over ten seeds', () => {
  it.each([
    ['iris', 0.95, () => import('../examples/iris.js')],
    ['wine', 0.97, () => import('../examples/wine.js')],
    ['breast-cancer', 0.96, () => import('../examples/breast-cancer.js')],
    ['digits', 0.97, () => import('../examples/digits.js')],
  ])(
    'examples/%s.ts: at least %d',
    async (name, least, load) => {
      const { printed, remove } = await runExample(name, load)
      await remove()
      const accuracies = printed.split('\n').map(Number)
      expect(accuracies).toHaveLength(10)
      expect(meanOf(accuracies)).toBeGreaterThanOrEqual(least)
      const lines = (await readFile(`examples/${name}.ts`, 'utf8')).split('\n')
      expect(lines.filter(line => line.trim() && !line.startsWith('/**')).length).toBeLessThanOrEqual(15)
    },
    60_000,
  )
})

describe('examples/mixed-table.ts', () => {
  it('trains numbers and embeddings of two columns with missing values, on the plan', async () => {
    const { printed, remove } = await runExample('mixed-table', () => import('../examples/mixed-table.js'))
    await remove()
    expect(printed).toContain('engine plan')
    expect(Number(/test accuracy ([\d.]+)/.exec(printed)?.[1])).toBeGreaterThan(0.85)
    expect(printed.split('\n')[0]).toMatch(/age.*income.*city.*job.*buys/)
  }, 30_000)
})

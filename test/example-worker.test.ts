/** examples/worker.ts as a reader runs it: weights go into a worker and come back trained. */
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

it('brings the weights back from the worker, and through JSON', { timeout: 60_000 }, () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['build/js/examples/worker.js'], { encoding: 'utf8' })
  const [before, after, inside, json] = [...stdout.matchAll(/(?:accuracy|worker) ([\d.]+)|, ([\d.]+) with/g)].map(
    ([, a, b]) => Number(a ?? b),
  )
  expect(before, stderr).toBeLessThan(0.9)
  expect(after).toBeGreaterThan(0.95)
  expect([inside, json]).toEqual([after, after])
})

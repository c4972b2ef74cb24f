/** The example that serves a model made from a CSV: short, good, and it answers. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('in under 40 lines a CSV becomes a model that answers', async () => {
  expect(readFileSync('examples/serve-table.ts', 'utf8').trim().split('\n').length).toBeLessThan(40)
  const { server, accuracy } = await import('../examples/serve-table.js')
  expect(accuracy).toBeGreaterThan(0.9)
  const body = (width: number) => ({
    petal_width: width,
    sepal_length: 6.3,
    sepal_width: 3.3,
    petal_length: width * 2.4,
  })
  const ask = async (payload: object) => (await server.inject({ method: 'POST', url: '/predict', payload })).json()
  expect(await ask(body(2.5))).toEqual({ species: 'virginica' })
  expect(await ask({ sepal_length: 5, sepal_width: 3.4, petal_length: 1.5, petal_width: 0.2 })).toEqual({
    species: 'setosa',
  })
  expect(await ask({ petal_width: 1 })).toMatchObject({ statusCode: 500 })
  await server.close()
})

/** A sweep over the ranks of an MPI job: the table, the weights and the files of one process. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nn, optim, sweep } from 'anneal'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DataLoader } from '../src/data/index.js'
import { describeMpi, kinds, linesOf } from './helpers/mpi.js'
import { outputOf } from './helpers/program.js'
import { study64 } from './helpers/study.js'
import { blobs, mlp } from './helpers/training.js'

const root = mkdtempSync(join(tmpdir(), 'anneal-world-'))
afterAll(() => rmSync(root, { recursive: true }))

/** What a program says: which runs ended, and the result. */
const ended = (lines: readonly string[]) =>
  lines.filter(line => line.startsWith('ended')).map(line => Number(line.split(' ')[1]))
const results = (lines: readonly string[]) => lines.filter(line => line.startsWith('result'))

let whole: string
beforeAll(() => {
  whole = results(outputOf(study64('')).split('\n'))[0]
})

const world = 'world: await anneal.distributed.init(),'
const all = Array.from({ length: 64 }, (_, index) => index)

for (const kind of kinds) {
  describeMpi(kind, 'a sweep', () => {
    it('over four ranks does each run once; every rank has the result of one process', {
      timeout: 60_000,
    }, async () => {
      const lines = await linesOf(kind, study64(world), { ranks: 4 })
      expect(ended(lines).sort((a, b) => a - b)).toEqual(all)
      expect(results(lines)).toEqual(Array(4).fill(whole))
    })
  })
}

describeMpi('Open MPI', 'a sweep, besides,', () => {
  it('over a folder does what is left, and leaves the files of shards', { timeout: 60_000 }, async () => {
    const dir = mkdtempSync(join(root, 'study-'))
    const folder = `dir: ${JSON.stringify(dir)},`
    outputOf(study64(`${folder} shard: { index: 1, count: 4 },`))
    const lines = await linesOf('Open MPI', study64(`${folder} ${world}`), { ranks: 3 })
    expect(ended(lines).sort((a, b) => a - b)).toEqual(all.filter(index => index % 4 !== 1))
    expect(results(lines)).toEqual(Array(3).fill(whole))
    expect(readdirSync(dir)).toHaveLength(64)
  })

  it('is refused where ranks have other options, by name', { timeout: 60_000 }, async () => {
    const other = study64(world).replace('epochs: 5', 'epochs: rank === 1 ? 6 : 5')
    const code = `try {${other}\n} catch (error) { console.log(error.code, error.message) }`
    const lines = await linesOf('Open MPI', code, { ranks: 3 })
    const message = 'the same epochs on all ranks (5 on ranks 0 and 2) but received 6 on rank 1'
    expect(lines).toEqual(Array(3).fill(`ERR_RANKS_DIFFER distributed: expected ${message}`))
  })
})

it('a world of one is one process; what is no world is refused, and so are a world and a shard', async () => {
  const { distributed } = await import('anneal')
  const options = {
    makeModel: () => mlp([4, 8, 3]),
    makeOptimizer: (model: ReturnType<typeof mlp>, { lr }: { lr: number }) => new optim.SGD(model.parameters(), { lr }),
    grid: { lr: [0.1, 0.2, 0.3] },
    ...{
      train: new DataLoader(blobs(70, 4, 3), { batchSize: 16, shuffle: true }),
      loss: new nn.CrossEntropyLoss(),
      epochs: 2,
    },
  }
  const alone = await distributed.init()
  const [plain, over] = [await sweep(options), await sweep({ ...options, world: alone })]
  expect(over.table()).toBe(plain.table())
  await expect(sweep({ ...options, world: alone, train: [] as never })).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
  await expect(sweep({ ...options, world: {} as never })).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
  const both = { ...options, world: alone, dir: root, shard: { index: 0, count: 2 } }
  await expect(sweep(both)).rejects.toMatchObject({ code: 'ERR_ARG_VALUE' })
  const release = alone.hold('fit')
  await expect(sweep({ ...options, world: alone })).rejects.toMatchObject({ code: 'ERR_BUSY' })
  release()
})

/** Trainings that the ranks of a real MPI job share: the bits of one process, whatever the launcher, the ranks and the end. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { cases, chance } from './helpers/campaign.js'
import { describeMpi, kinds, linesOf, startJob } from './helpers/mpi.js'
import { outputOf } from './helpers/program.js'
import { sharedNets } from './helpers/shared_nets.js'

const root = mkdtempSync(join(tmpdir(), 'anneal-ranks-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const linesIn = (text: string) => text.split('\n').sort()

/** Every net, trained by all ranks: a line each, the same on every rank. */
const everyNet = `${sharedNets}
  const world = await anneal.distributed.init()
  for (const name of Object.keys(nets)) {
    const { hash, engine } = await train(name, { world, threads: 1 })
    console.log(name + ' ' + hash + ' ' + engine)
  }
`

/** So many times the same lines, as so many ranks print them. */
const times = (ranks: number, lines: readonly string[]) => lines.flatMap(line => Array<string>(ranks).fill(line))

for (const kind of kinds) {
  describeMpi(kind, 'a training that ranks share', () => {
    const alone = linesIn(outputOf(everyNet))

    it.each([1, 2, 3, 4])('ends with the bits of one process on %i', { timeout: 120_000 }, async ranks => {
      expect(alone.length).toBe(17)
      expect(await linesOf(kind, everyNet, { ranks })).toEqual(times(ranks, alone))
    })

    it('over loopback TCP, too', { timeout: 120_000 }, async () => {
      const overTcp = {
        ranks: 2,
        flags: kind === 'Open MPI' ? ['--mca', 'btl', 'tcp,self', '--mca', 'btl_tcp_if_include', 'lo'] : [],
        env: { MPIR_CVAR_NOLOCAL: '1' },
      }
      expect(await linesOf(kind, everyNet, overTcp)).toEqual(times(2, alone))
    })

    it('refuses what ranks cannot share or would do differently, naming whom', { timeout: 60_000 }, async () => {
      const code = `${sharedNets}
        const world = await anneal.distributed.init()
        const say = error => console.log(world.rank, error.code, error.message)
        nets.odd = { ...nets['64-32-10'], optimizer: p => new optim.SGD(p, { lr: 0.1, momentum: world.rank === 1 ? 0.5 : 0 }) }
        nets.own = { widths: [8, 8, 4], optimizer: p => new optim.LBFGS(p, { lr: 0.1 }) }
        await train('odd', { world }).catch(say)
        await train('own', { world }).catch(say)
        await train('64-32-10', { world, backend: anneal.backends.reference }).catch(say)
        await train('64-32-10', { world, epochs: world.rank === 2 ? 4 : 3 }).catch(say)
        random.manualSeed(7)
        const loader = data.DataLoader && new data.DataLoader(new data.TensorDataset(random.randn([8, 4]), tensor([0, 1, 0, 1, 0, 1, 0, 1])), { batchSize: 4 })
        const model = new nn.Linear(4, 2)
        const options = { train: loader, loss: new nn.CrossEntropyLoss(), optimizer: sgd(model.parameters()), epochs: 1, world }
        try { fit.sync(model, options) } catch (error) { say(error) }
        await Promise.all([fit(model, options), train('64-32-10', { world }).catch(say)])`
      const lines = await linesOf(kind, code, { ranks: 3 })
      const of = (rank: number) => lines.filter(line => line.startsWith(`${rank} `)).map(line => line.slice(2))
      const [first, second, third] = [of(0), of(1), of(2)]
      expect([second, third]).toEqual([first, first])
      expect(first).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^ERR_RANKS_DIFFER .*the same training steps .*rank 1/),
          expect.stringMatching(/^ERR_STATE .*a plan that 3 ranks can share .*LBFGS/),
          expect.stringMatching(/^ERR_ARG_VALUE .*no backend with a world/),
          expect.stringMatching(/^ERR_RANKS_DIFFER .*the same training .*rank 2/),
          expect.stringMatching(/^ERR_STATE .*fit.sync: expected one process/),
          expect.stringMatching(/^ERR_BUSY .*/),
        ]),
      )
    })
  })
}

/** A training with checkpoints; `more` may change its options. At its end every rank prints its hash. */
const withCheckpoints = (dir: string, more = '') => `
  const { nn, optim, lrScheduler, data, random, tensor, callbacks, fit, distributed } = anneal
  const { createHash } = await import('node:crypto')
  const world = await distributed.init()
  random.manualSeed(3)
  const rows = 1000
  const X = random.randn([rows, 32])
  const y = tensor(Int32Array.from({ length: rows }, (_, i) => i % 4))
  const model = new nn.Sequential(new nn.Linear(32, 96), new nn.ReLU(), new nn.Dropout({ p: 0.1 }), new nn.Linear(96, 4))
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 })
  const scheduler = new lrScheduler.StepLR(optimizer, { stepSize: 100, gamma: 0.9 })
  const train = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 64, shuffle: true })
  const dir = ${JSON.stringify(dir)}
  const options = { train, loss: new nn.CrossEntropyLoss(), optimizer, scheduler, epochs: 12, threads: 1, world,
    callbacks: [callbacks.checkpoint({ dir, everySteps: 17 })], resume: dir }
  ${more}
  const history = await fit(model, options)
  const hash = createHash('sha256').update(JSON.stringify(history))
  for (const t of Object.values(model.stateDict())) hash.update(t.data)
  console.log(hash.digest('hex'))
`

/** Aborts every rank's run after some updates, of which rank 1 alone hears. */
const interrupted = `
  const stop = new AbortController()
  const seen = { onEpoch: ({ epoch }) => { if (epoch === 4 && world.rank === 1) stop.abort(new Error('enough')) } }
  Object.assign(options, { signal: stop.signal, callbacks: [...options.callbacks, seen] })
  await fit(model, options).then(() => console.log('went on'), error => console.log(error.code))
  process.exit(0)
`

describeMpi('Open MPI', 'a shared training that ends early', () => {
  const whole = outputOf(withCheckpoints(join(root, 'whole')))

  it('stops on all ranks when one is aborted, and goes on on another number of them', {
    timeout: 120_000,
  }, async () => {
    const dir = join(root, 'moved')
    const lines = await linesOf('Open MPI', withCheckpoints(dir, interrupted), { ranks: 2 })
    expect(lines).toEqual(['ERR_ABORTED', 'ERR_ABORTED'])
    expect(readdirSync(dir).length).toBe(2)
    for (const ranks of [4, 1]) {
      const copied = `const { cpSync } = await import('node:fs'); const dir${ranks} = dir + '-${ranks}'
        if (world.rank === 0) cpSync(dir, dir${ranks}, { recursive: true })
        await world.barrier()
        Object.assign(options, { resume: dir${ranks}, callbacks: [callbacks.checkpoint({ dir: dir${ranks}, everySteps: 17 })] })`
      expect(await linesOf('Open MPI', withCheckpoints(dir, copied), { ranks })).toEqual(times(ranks, [whole]))
    }
  })

  it('ends within seconds when a rank is killed, whenever, and goes on to the same bits', {
    timeout: 3_600_000,
  }, async () => {
    const seed = Date.now() % 2 ** 31
    const { integer } = chance(seed)
    for (let i = 0; i < cases(3, 50); i++) {
      const dir = join(root, `killed ${i}`)
      const job = startJob('Open MPI', withCheckpoints(dir, `console.log('pid', world.rank, process.pid)`), {
        ranks: 2,
      })
      const pid = Number((await job.line(`pid ${integer(2)}`)).split(' ')[2])
      await new Promise(resolve => setTimeout(resolve, integer(300)))
      const killed = performance.now()
      let isThere = true
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        isThere = false
      }
      const { code } = await job.ended
      const what = `seed ${seed}, kill ${i}`
      expect(performance.now() - killed, what).toBeLessThan(10_000)
      if (isThere) expect(code, what).not.toBe(0)
      expect(await linesOf('Open MPI', withCheckpoints(dir), { ranks: 2 }), what).toEqual(times(2, [whole]))
    }
  })
})

/**
 * Worlds of several processes under mpirun: what ranks tell each other, exchanges of a plan, and how a job ends that
 * does not end well. Not here: exchanges without MPI (native/test/plan_exchange.cc).
 */
import { describe, expect, it } from 'vitest'
import { agree } from '../src/distributed/agree.js'
import { launcherOf } from '../src/distributed/launcher.js'
import { World } from '../src/distributed/world.js'
import { distributed } from '../src/index.js'
import { addon } from '../src/native/addon.js'
import type { NativeWorld } from '../src/native/types.js'
import { describeMpi, kinds, linesOf, startJob } from './helpers/mpi.js'
import { packageUrl, runProgram } from './helpers/program.js'

const addonUrl = new URL('../dist/native/addon.js', import.meta.url).href
const world = 'const world = await anneal.distributed.init()\n'

/** Rank r of n adds 1 to its part of 3,000,000 numbers, five times; parts travel as they lie and in strips. */
const exchanges = `
  const { addon } = await import(${JSON.stringify(addonUrl)})
  const { createHash } = await import('node:crypto')
  const { size, rank: me } = world
  const length = 3_000_000, part = length / size
  const ones = new addon.Store('float32', part)
  ones.write(0, new Float32Array(part).fill(1))
  const peers = Array.from({ length: size }, (_, peer) => peer).filter(peer => peer !== me)
  const { arena, store } = addon.format.regions
  const block = (peer, of, strided) => strided ? [peer, of * part, 7, 10, part / 10] : [peer, of * part, part, 0, 1]
  const step = strided => Float64Array.from([
    0, 0, 0, 0, 0, 0, 0, 0,
    addon.signatures.add.id, arena, me * part, store, 0, arena, me * part, part,
    addon.format.exchange, peers.length, peers.length,
    ...peers.flatMap(peer => block(peer, me, strided)), ...peers.flatMap(peer => block(peer, peer, strided)),
    addon.format.arrival, 0,
  ])
  const plan = new addon.Plan({ arena: length, programs: [step(false), step(true)], stores: [ones], world: world.native })
  plan.write(0, Float32Array.from({ length }, (_, i) => i % 1000))
  const before = world.native.statistics()
  await plan.runAsync(Int32Array.of(0, 3, 1, 2, 0, 1), new Int32Array(0), new Float64Array(0), 1)
  const { bytesSent, waiting, copying } = world.native.statistics()
  const sent = bytesSent - before.bytesSent
  const values = new Float32Array(length)
  plan.read(0, values)
  const right = values.every((value, i) => value === i % 1000 + 6) && sent === peers.length * 4 * (4 * part + 2 * 0.7 * part)
  console.log('exchanged', right, waiting > 0 && copying > 0)
`

for (const kind of kinds) {
  describeMpi(kind, 'a world', () => {
    it('tells, and exchanges parts of an arena', { timeout: 60_000 }, async () => {
      const code = `${world}
        const all = await world.gather(Uint8Array.of(world.rank, 7))
        const [a, b] = await Promise.all([world.gather(Buffer.alloc(1e6, world.rank)), world.gather(Uint8Array.of(5))])
        const arrived = a.every((byte, i) => byte === Math.floor(i / 1e6))
        const same = await anneal.distributed.init() === world
        console.log('told', world.size, [...all].join(), a.length, arrived, b.join(), same, world.library.includes(${JSON.stringify(kind)}))
        ${exchanges}`
      const lines = await linesOf(kind, code, { ranks: 3 })
      expect(lines).toEqual([
        ...Array.from({ length: 3 }, () => 'exchanged true true'),
        ...Array.from({ length: 3 }, () => 'told 3 0,7,1,7,2,7 3000000 true 5,5,5 true true'),
      ])
    })

    it('ends with a rank that is killed', { timeout: 60_000 }, async () => {
      const job = startJob(
        kind,
        `${world} console.log('pid', rank, process.pid); await world.barrier(); setInterval(() => {}, 1000)`,
        {
          ranks: 3,
        },
      )
      const pid = Number((await job.line('pid 1')).split(' ')[2])
      const killed = performance.now()
      process.kill(pid, 'SIGKILL')
      const { code } = await job.ended
      expect(code).not.toBe(0)
      expect(performance.now() - killed).toBeLessThan(10_000)
    })

    it('names a rank that stalls', { timeout: 60_000 }, async () => {
      const code = `${world} console.log('pid', rank, process.pid); while (true) await world.barrier()`
      const job = startJob(kind, code, { ranks: 3, env: { ANNEAL_MPI_TIMEOUT: '2' } })
      const pid = Number((await job.line('pid 2')).split(' ')[2])
      await Promise.all([job.line('pid 0'), job.line('pid 1')])
      process.kill(pid, 'SIGSTOP')
      const { code: exit, stderr } = await job.ended
      expect(exit).not.toBe(0)
      expect(stderr).toMatch(/rank(s 0 and| 2|s 1 and) ?2? did not answer within 2 s/)
      expect(stderr).toContain('ERR_RANK_STALLED')
    })
  })
}

describeMpi('Open MPI', 'a job that does not end well', () => {
  it('keeps the message of an uncaught error, and tells others apart', { timeout: 60_000 }, async () => {
    const code = `${world} if (rank === 1) throw new TypeError('rank one fails'); await world.barrier()`
    const { code: exit, stderr } = await startJob('Open MPI', code, { ranks: 2 }).ended
    expect(exit).toBe(1)
    expect(stderr).toContain('TypeError: rank one fails')
  })

  it('names the rank of another instruction set, on every rank', { timeout: 60_000 }, async () => {
    const before = "if (rank === 1) process.env.ANNEAL_MAX_ISA = 'sse2'\n"
    const code = `const error = await anneal.distributed.init().catch(error => error); console.log(error.code, error.message)`
    const lines = await linesOf('Open MPI', code, { ranks: 3, before })
    expect(lines).toHaveLength(3)
    for (const line of lines) {
      expect(line).toMatch(
        /^ERR_RANKS_DIFFER distributed: expected the same instruction set on all ranks \(\w+ on ranks 0 and 2\) but received sse2 on rank 1$/,
      )
    }
  })

  it('says so where the library is of another kind, or none', { timeout: 60_000 }, async () => {
    const code = `const error = await anneal.distributed.init().catch(error => error); console.log(error.code, error.message)`
    const [none] = await linesOf('Open MPI', code, { ranks: 1, env: { ANNEAL_MPI_LIBRARY: '/no/libmpi.so' } })
    expect(none).toMatch(/^ERR_MISSING_PACKAGE .*\/no\/libmpi\.so.*openmpi-bin or mpich/)
  })

  it('goes over TCP as well', { timeout: 60_000 }, async () => {
    const flags = ['--mca', 'btl', 'tcp,self', '--mca', 'pml', 'ob1']
    const lines = await linesOf('Open MPI', world + exchanges, { ranks: 2, flags })
    expect(lines).toEqual(['exchanged true true', 'exchanged true true'])
  })
})

describeMpi('MPICH', 'a job that does not end well', () => {
  it('ends with the exit code of a rank that leaves, and with a reason', { timeout: 60_000 }, async () => {
    const leaves = await startJob('MPICH', `${world} if (rank === 1) process.exit(3); await world.barrier()`, {
      ranks: 2,
    }).ended
    expect(leaves.code).toBe(3)
    const aborts = await startJob('MPICH', `${world} if (rank === 1) world.abort('enough'); await world.barrier()`, {
      ranks: 2,
    }).ended
    expect(aborts.code).not.toBe(0)
    expect(aborts.stderr).toContain('anneal: rank 1 of 2 ends the job: enough')
  })

  it('says so where the library is of another kind', { timeout: 60_000 }, async () => {
    const code = `const error = await anneal.distributed.init().catch(error => error); console.log(error.code, error.message)`
    const lines = await linesOf('MPICH', code, { ranks: 2, env: { ANNEAL_MPI_LIBRARY: 'libmpi.so.40' } })
    for (const line of lines)
      expect(line).toMatch(/^ERR_STATE .*a world of 2, as the launcher says \(PMI_SIZE\), but received one of 1/)
  })

  it('does not end well where a rank leaves a fit to the others', { timeout: 60_000 }, async () => {
    const code = `${world} world.hold('fit'); process.exit(0)`
    const { code: exit, stderr } = await startJob('MPICH', code, { ranks: 2 }).ended
    expect(exit).not.toBe(0)
    expect(stderr).toMatch(/rank \d of 2 ended during fit, and so does the job/)
  })
})

describe('without a launcher', () => {
  it('is a world of one, which opens nothing', () => {
    const { stdout, status } = runProgram(`
      const world = await anneal.distributed.init()
      await world.barrier()
      const told = await world.gather(Uint8Array.of(1, 2))
      console.log(world.rank, world.size, world.library === '', [...told].join(), world.native === undefined)
      world.abort('done')
    `)
    expect(stdout.trim()).toMatch(/^.*0.* .*1.* true 1,2 true$/)
    expect(status).toBe(1)
  })

  it('refuses a worker of a rank', () => {
    const code = `
      import { Worker } from 'node:worker_threads'
      process.env.OMPI_COMM_WORLD_SIZE = '2'
      const source = 'import(' + ${JSON.stringify(JSON.stringify(packageUrl))} + ').then(a => a.distributed.init()).catch(e => console.log(e.code, e.message))'
      new Worker(source, { eval: true })`
    const { stdout } = runProgram(code)
    expect(stdout).toContain('ERR_STATE distributed.init: expected the main thread but received a worker')
  })

  it('refuses bad options', async () => {
    process.env.ANNEAL_MPI_TIMEOUT = 'soon'
    await expect(distributed.init()).rejects.toThrow('ANNEAL_MPI_TIMEOUT to be seconds')
    delete process.env.ANNEAL_MPI_TIMEOUT
    await expect(distributed.init({ timeout: 0 })).rejects.toMatchObject({ code: 'ERR_ARG_VALUE' })
    await expect(distributed.init({ timeout: '5' as never })).rejects.toMatchObject({ code: 'ERR_ARG_TYPE' })
    await expect(distributed.init({ seconds: 5 } as never)).rejects.toThrow('timeout')
  })
})

describe.skipIf(!addon.World)('the native world', () => {
  it.each([
    [[['/no/libmpi.so'], 5], 'ERR_MISSING_PACKAGE', '/no/libmpi.so'],
    [[[import.meta.filename], 5], 'ERR_MISSING_PACKAGE', 'distributed.test.ts'],
    [[['libm.so.6'], 5], 'ERR_MISSING_PACKAGE', 'libm.so.6: no MPI library'],
    [[[], Number.NaN], 'ERR_ARG_VALUE', 'timeout to be seconds'],
    [[[1], 5], 'ERR_ARG_TYPE', 'each of files'],
    [['libmpi.so', 5], 'ERR_ARG_TYPE', 'files'],
  ])('refuses %o', (args, code, words) => {
    const make = () => new addon.World!(...(args as [string[], number]))
    expect(make).toThrow(words)
    expect(make).toThrow(expect.objectContaining({ code }))
  })

  it('is asked for where programs exchange, and a plan takes no other', () => {
    const { exchange, arrival } = addon.format
    const program = Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, exchange, 0, 0, arrival, 0)
    const plan = (world?: NativeWorld) => new addon.Plan({ arena: 8, programs: [program], stores: [], world })
    expect(() => plan()).toThrow('call 0 (exchange): expected no exchange in a plan without a world but received one')
    expect(() => plan({} as never)).toThrow('Plan: expected world to be a World')
  })
})

describe('launchers', () => {
  it.each([
    [{ OMPI_COMM_WORLD_SIZE: '4' }, 4, 'libmpi.so.40'],
    [{ PMI_SIZE: '2', MPI_LOCALNRANKS: '2' }, 2, 'libmpich.so.12'],
    [{ PMIX_RANK: '0' }, undefined, 'libmpi.so.40'],
    [{ SLURM_STEP_NUM_TASKS: '8', PMIX_RANK: '0' }, 8, 'libmpi.so.40'],
    [{ PMI_SIZE: '2', ANNEAL_MPI_LIBRARY: '/opt/libmpi.so' }, 2, '/opt/libmpi.so'],
  ])('%o', (environment, size, first) => {
    const launcher = launcherOf(environment as never, 'linux')!
    expect([launcher.size, launcher.files[0]]).toEqual([size, first])
  })

  it('none: a batch script of Slurm is no rank', () => {
    expect(launcherOf({ SLURM_NTASKS: '8', SLURM_PROCID: '0', ANNEAL_MPI_LIBRARY: 'x' }, 'linux')).toBeUndefined()
  })
})

/** Rank 0 of as many as there are answers. */
const worldOf = (answers: Uint8Array[]) =>
  new World({
    describe: () => ({ rank: 0, size: answers.length, library: 'a fake' }),
    gather: async (bytes: Uint8Array) => Buffer.concat([bytes, ...answers.slice(1)]),
  } as unknown as NativeWorld)

describe('agreement', () => {
  it('names the odd ranks, and shows what is short', async () => {
    const told = new Map<string, Uint8Array>()
    const text = async (text: string) => {
      const spy = worldOf([new Uint8Array(0)])
      const gather = spy.gather.bind(spy)
      spy.gather = bytes => {
        told.set(text, bytes)
        return gather(bytes)
      }
      await agree(spy, 'x', text)
      return told.get(text)!
    }
    const [a, b, long] = [await text('a'), await text('b'), await text('l'.repeat(1000))]
    await expect(agree(worldOf([a, a, a]), 'seed', 'a')).resolves.toBeUndefined()
    await expect(agree(worldOf([a, b, b, b]), 'seed', 'a')).rejects.toThrow(
      'distributed: expected the same seed on all ranks (b on ranks 1, 2 and 3) but received a on rank 0',
    )
    await expect(agree(worldOf([a, long]), 'program', 'a')).rejects.toThrow(
      '(a on rank 0) but received another on rank 1',
    )
  })

  it('gives the world to one at a time', () => {
    const alone = new World()
    const free = alone.hold('fit')
    expect(() => alone.hold('sweep')).toThrow('sweep: expected a world that is free but received one in use by fit')
    free()
    alone.hold('sweep')()
  })
})

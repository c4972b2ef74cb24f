/** SIGKILL in the middle of a training that writes checkpoints: whatever is left in the folder, the run goes on from it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { cases, chance } from './helpers/campaign.js'
import { outputOf, sourceOf } from './helpers/program.js'

/** Trains, then prints a hash of its history and weights; says when training begins, and from how many updates on. */
const program = (dir: string) => `
  const { readdirSync, mkdirSync } = await import('node:fs')
  const { createHash } = await import('node:crypto')
  const { nn, optim, lrScheduler, data, random, tensor, callbacks, fit } = anneal
  const dir = ${JSON.stringify(dir)}
  random.manualSeed(3)
  const rows = 1000
  const X = random.randn([rows, 16])
  const y = tensor(Int32Array.from({ length: rows }, (_, i) => i % 4))
  const model = new nn.Sequential(new nn.Linear(16, 32), new nn.ReLU(), new nn.Dropout({ p: 0.1 }), new nn.Linear(32, 4))
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 })
  const scheduler = new lrScheduler.StepLR(optimizer, { stepSize: 100, gamma: 0.9 })
  const train = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 16, shuffle: true })
  const keep = callbacks.checkpoint({ dir, everySteps: 7 })
  mkdirSync(dir, { recursive: true })
  console.log('from', readdirSync(dir).length)
  const history = await fit(model, {
    train, loss: new nn.CrossEntropyLoss(), optimizer, scheduler, epochs: 10, threads: 1, callbacks: [keep], resume: dir,
  })
  const hash = createHash('sha256').update(JSON.stringify(history))
  for (const t of Object.values(model.stateDict())) hash.update(t.data)
  console.log('hash', hash.digest('hex'))
`

/** Runs the program and kills it so many milliseconds after its training began, if it is still there. */
function killedAfter(dir: string, ms: number): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', sourceOf(program(dir))], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), ms))
  return new Promise(resolve => child.once('close', () => resolve()))
}

const hashOf = (output: string) => output.match(/hash (\w+)/)?.[1]

it('ends with the bits of the run that nobody killed, from wherever it was', { timeout: 3_600_000 }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'anneal-kill-'))
  const seed = Date.now() % 2 ** 31
  const { integer } = chance(seed)
  try {
    const began = performance.now()
    const whole = hashOf(outputOf(program(join(root, 'whole'))))
    const ms = performance.now() - began
    const kills = cases(20, 200)
    let inMidRun = 0
    for (let i = 0; i < kills; i++) {
      const dir = join(root, String(i))
      await killedAfter(dir, integer(Math.ceil(ms * 0.7)))
      const output = outputOf(program(dir))
      if (!output.includes('from 0')) inMidRun++
      expect(hashOf(output), `kill ${i} of seed ${seed}`).toBe(whole)
      expect(readdirSync(dir).filter(name => name.includes('tmp'))).toEqual([])
    }
    expect(inMidRun).toBeGreaterThanOrEqual(kills * 0.75)
  } finally {
    rmSync(root, { recursive: true })
  }
})

/** Runs that go on in a process of their own: after half of the epochs, in the middle of one, and twice in a row. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { outputOf } from './helpers/program.js'

const root = mkdtempSync(join(tmpdir(), 'anneal-resume-'))
afterAll(() => rmSync(root, { recursive: true }))

/** Runs every configuration, each with its checkpoints in `folder` below its own; prints their hashes by name. */
const program = (folder: string, epochs: number) => `
  const { createHash } = await import('node:crypto')
  const { nn, optim, lrScheduler, data, random, tensor, callbacks, fit } = anneal
  const set = (seed, rows) => {
    const draw = new random.Generator(seed)
    const X = tensor(draw.uniform_(new Float32Array(rows * 16), -1, 1), { shape: [rows, 16] })
    return new data.TensorDataset(X, tensor(draw.randint(0, 3, rows)))
  }
  const configurations = {
    'SGD, StepLR, dropout': {
      dropout: true,
      optimizer: p => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
      scheduler: o => new lrScheduler.StepLR(o, { stepSize: 9, gamma: 0.7 }),
    },
    'AdamW, OneCycle': {
      optimizer: p => new optim.AdamW(p, { lr: 0.01 }),
      scheduler: o => new lrScheduler.OneCycleLR(o, { maxLr: 0.02, totalSteps: 70 }),
    },
    'RMSprop, plateau, early stopping with the best weights': {
      optimizer: p => new optim.RMSprop(p, { lr: 0.01 }),
      scheduler: o => new lrScheduler.ReduceLROnPlateau(o, { patience: 0 }),
      callbacks: () => [callbacks.earlyStopping({ patience: 8, restoreBest: true })],
    },
    'schedule-free AdamW': { optimizer: p => new optim.AdamWScheduleFree(p, { lr: 0.01, warmupSteps: 5 }) },
    'a warm-up, then cosine': {
      optimizer: p => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
      scheduler: o => new lrScheduler.SequentialLR(o, {
        schedulers: [new lrScheduler.LinearLR(o, { startFactor: 0.1, totalIters: 6 }), new lrScheduler.CosineAnnealingLR(o, { tMax: 64 })],
        milestones: [6],
      }),
    },
  }
  const hashes = {}
  for (const [name, c] of Object.entries(configurations)) {
    for (const threads of [1, 2]) {
      random.manualSeed(11)
      const dir = ${JSON.stringify(root)} + '/' + name + threads + ${JSON.stringify(`/${folder}`)}
      const dropout = c.dropout ? [new nn.Dropout({ p: 0.3 })] : []
      const model = new nn.Sequential(new nn.Linear(16, 64), new nn.ReLU(), ...dropout, new nn.Linear(64, 3))
      const optimizer = c.optimizer(model.parameters())
      const { engine, engineReason, ...history } = await fit(model, {
        train: new data.DataLoader(set(1, 50), { batchSize: 8, shuffle: true }),
        test: new data.DataLoader(set(2, 20), { batchSize: 8 }),
        loss: new nn.CrossEntropyLoss(),
        optimizer,
        scheduler: c.scheduler?.(optimizer),
        epochs: ${epochs},
        threads,
        callbacks: [...(c.callbacks?.() ?? []), callbacks.checkpoint({ dir, everyEpochs: 5, everySteps: 12, keep: 1000 })],
        resume: dir,
      })
      const hash = createHash('sha256').update(JSON.stringify([history, optimizer.stateDict()]))
      for (const t of Object.values(model.stateDict())) hash.update(t.data)
      hashes[name + threads] = hash.update(String(random.defaultGenerator.random64())).digest('hex')
    }
  }
  console.log(JSON.stringify(hashes))
`

type Hashes = Record<string, string>
const run = (folder: string, epochs = 10): Hashes => JSON.parse(outputOf(program(folder, epochs)))

/** Of every configuration the checkpoint after so many updates, alone in a new folder. */
function takeAlong(names: readonly string[], from: string, updates: number, to: string): void {
  for (const name of names) {
    mkdirSync(join(root, name, to))
    const file = `checkpoint-${String(updates).padStart(10, '0')}.safetensors`
    copyFileSync(join(root, name, from, file), join(root, name, to, file))
  }
}

it('ends with the bits of one process: five configurations, 1 and 2 threads', { timeout: 120_000 }, () => {
  const whole = run('whole')
  const names = Object.keys(whole)
  expect(names).toHaveLength(10)
  run('half', 5)
  expect(run('half')).toEqual(whole)
  takeAlong(names, 'whole', 24, 'middle') // 7 updates to an epoch
  expect(run('middle')).toEqual(whole)
  takeAlong(names, 'middle', 60, 'twice')
  expect(run('twice')).toEqual(whole)
})

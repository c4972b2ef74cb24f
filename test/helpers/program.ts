/** Runs a small program against the compiled package in a process of its own, as a user's. Not a test. */

import { type SpawnSyncReturns, spawnSync } from 'node:child_process'

export const packageUrl = new URL('../../dist/index.js', import.meta.url).href

/** `code` as a module that finds the package as `anneal`. */
export const sourceOf = (code: string) => `const anneal = await import(${JSON.stringify(packageUrl)})\n${code}`

/** The result of running `code`, which finds the package as `anneal`. */
export function runProgram(code: string, env: NodeJS.ProcessEnv = {}, flags: string[] = []): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...flags, '--input-type=module', '-e', sourceOf(code)], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 120_000,
  })
}

/** What `code` prints; throws with its errors where it does not end well. */
export function outputOf(code: string, env: NodeJS.ProcessEnv = {}, flags: string[] = []): string {
  const { status, signal, stdout, stderr } = runProgram(code, env, flags)
  if (status !== 0) throw new Error(`the program ended with ${signal ?? status}:\n${stderr}`)
  return stdout.trim()
}

/** A fit of the lecture's net, as a prelude: `model`, `options`. */
export const lecture = `
  const { nn, optim, lrScheduler, data, random, fit } = anneal
  class QwertyNet extends nn.Module {
    fc1 = new nn.Linear(2, 8)
    fc2 = new nn.Linear(8, 3)
    forward(x) { return this.fc2.forward(this.fc1.forward(x).relu()) }
  }
  random.manualSeed(0)
  const { X, y } = data.qwerty()
  const [XTrain, XTest, yTrain, yTest] = data.trainTestSplit(X, y, { testSize: 0.2, randomState: 42 })
  const model = new QwertyNet()
  const loss = new nn.CrossEntropyLoss()
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 })
  const scheduler = new lrScheduler.StepLR(optimizer, { stepSize: 115, gamma: 0.5 })
  const train = new data.DataLoader(new data.TensorDataset(XTrain, yTrain), { batchSize: 32, shuffle: true })
  const test = new data.DataLoader(new data.TensorDataset(XTest, yTest), { batchSize: 32 })
  const options = { train, test, loss, optimizer, scheduler, epochs: 20 }
`

/** A fit that lasts, as a prelude: `model`, `options` of 784-256-10 on random rows. */
export const longFit = `
  const { nn, optim, data, random, tensor, fit } = anneal
  const rows = 8192
  const X = random.randn([rows, 784])
  const y = tensor(Int32Array.from({ length: rows }, (_, i) => i % 10))
  const model = new nn.Sequential(new nn.Linear(784, 256), new nn.ReLU(), new nn.Linear(256, 10))
  const train = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 128, shuffle: true })
  const loss = new nn.CrossEntropyLoss()
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 })
  const options = { train, loss, optimizer, epochs: 10000 }
`

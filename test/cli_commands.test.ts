/** The commands beside training, in this process: lr-find, sweep, schedule, export, view. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { lrScheduler, optim, tensor } from 'anneal'
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { anneal } from './helpers/command.js'

const root = mkdtempSync(join(tmpdir(), 'anneal-commands-'))
const file = (name: string) => join(root, name)
const iris = ['examples/data/iris.csv', '--target', 'species']
beforeAll(async () => {
  for (const [name, ...more] of [['first'], ['second', '--hidden', '8', '--epochs', '30']])
    await anneal('train', ...iris, '--quiet', '--out', file(`runs/${name}`), ...more)
})
afterAll(() => rmSync(root, { recursive: true }))

it('lr-find prints suggestions and draws the curve', async () => {
  const { printed } = await anneal('lr-find', ...iris, '--plot', file('lr.svg'))
  expect(printed).toMatch(/^steepest +[\d.e-]+\nvalley +[\d.e-]+\nminimum +[\d.e-]+\n\d+ rates up to/)
  expect(readFileSync(file('lr.svg'), 'utf8')).toContain('Learning-rate range test')
  const { lr, suggestions } = JSON.parse((await anneal('lr-find', ...iris, '--json', '--steps', '20')).stdout)
  expect(lr.length).toBeLessThanOrEqual(20)
  expect(suggestions.valley).toBeGreaterThan(1e-5)
})

it('schedule shows the rates that the schedule has', async () => {
  const args = ['schedule', 'onecycle', '--max-lr', '0.1', '--steps', '1000']
  const { printed } = await anneal(...args, '--plot', file('onecycle.svg'))
  expect(printed).toMatch(/^ *1 +0\.004$/m)
  expect(printed).toMatch(/^ *301 +0\.0999995$/m)
  expect(readFileSync(file('onecycle.svg'), 'utf8')).toContain('OneCycleLR')
  const optimizer = new optim.SGD([tensor([0], { requiresGrad: true })], { lr: 0.1, momentum: 0.9 })
  const schedule = new lrScheduler.OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 1000 })
  const rates = JSON.parse((await anneal(...args, '--json')).stdout)
  expect(rates).toEqual(schedule.preview(1000).map(([rate]) => rate))
})

it('schedule knows every schedule of numbers, with its own options, and says what it lacks', async () => {
  const { printed } = await anneal('schedule', '--help')
  for (const name of ['step', 'multistep', 'cosineannealing', 'warmupstabledecay', 'rex'])
    expect(printed).toContain(name)
  expect((await anneal('schedule', 'multistep', '--help')).printed).toMatch(/--milestones <value> +required/)
  const { stdout } = await anneal('schedule', 'multistep', '--milestones', '2,4', '--lr', '1', '--steps', '5', '--json')
  expect(JSON.parse(stdout)).toEqual([1, 1, 0.1, 0.1, expect.closeTo(0.01, 12)])
  expect(await anneal('schedule', 'step')).toMatchObject({ code: 1, printed: expect.stringContaining('stepSize') })
  expect(await anneal('schedule', 'cosin')).toMatchObject({
    code: 2,
    printed: expect.stringContaining('unknown command'),
  })
})

it('sweep ranks runs, over seeds with deviations', async () => {
  const args = ['sweep', ...iris, '--epochs', '5', '--quiet']
  const rows = JSON.parse((await anneal(...args, '--lr', '0.001,0.05', '--hidden', '8/16,8', '--json')).stdout)
  expect(rows).toHaveLength(4)
  const losses = rows.map((row: Record<string, number>) => row['test loss'])
  expect(losses).toEqual([...losses].sort((a, b) => a - b))
  expect(rows[0].lr).toBe(0.05)
  const { printed } = await anneal(
    ...args,
    '--optimizer',
    'adamw,sgd',
    '--lr',
    '0.01',
    '--seeds',
    '2',
    '--plot',
    file('s.svg'),
  )
  expect(printed).toMatch(/0\.\d+ ± 0\.\d+/)
  expect(readFileSync(file('s.svg'), 'utf8')).toContain('of 4 runs')
  expect((await anneal(...args, '--optimizer', 'adamw,sgdd')).code).toBe(2)
})

it('export writes what onnxruntime predicts from', async () => {
  const { stdout } = await anneal('export', file('runs/first'), '--onnx', file('iris.onnx'), '--json')
  const { columns, labels } = JSON.parse(stdout)
  expect(columns).toEqual(['sepal_length', 'sepal_width', 'petal_length', 'petal_width'])
  const session = await InferenceSession.create(file('iris.onnx'))
  const x = new OnnxTensor('float32', Float32Array.of(5.1, 3.5, 1.4, 0.2, 6.3, 3.3, 6, 2.5), [2, 4])
  const [scores] = Object.values(await session.run({ x }))
  const rows = [0, 1].map(row => Array.from(scores.data.slice(row * 3, row * 3 + 3) as Float32Array))
  expect(rows.map(row => labels[row.indexOf(Math.max(...row))])).toEqual(['setosa', 'virginica'])
  expect((await anneal('export', file('runs/first'))).printed).toContain("required option '--onnx [file]'")
})

it('view serves saved runs side by side until Ctrl-C', async () => {
  const interrupt = vi.spyOn(process, 'kill')
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation(text => void lines.push(text))
  const { run } = await import('../src/cli/program.js')
  const ended = run(['view', file('runs'), '--no-open'])
  await vi.waitFor(() => expect(lines.join()).toContain('2 run(s): http://'))
  const url = new URL(/http:\S+/.exec(lines.join())![0])
  const page = await fetch(url)
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('uplot')])
  const events = await fetch(new URL(`/events${url.search}`, url))
  const { value } = await events.body!.getReader().read()
  const { runs } = JSON.parse(/data: (.*)/.exec(new TextDecoder().decode(value))![1])
  expect(runs.map(({ name, status }: { name: string; status: string }) => [name, status])).toEqual([
    ['first', 'done'],
    ['second', 'done'],
  ])
  const history = JSON.parse(readFileSync(file('runs/second/history.json'), 'utf8'))
  expect(runs[1].figures['loss/test']).toEqual(history.testLoss)
  expect(runs[1].figures.lr.at(-1)).toBe(history.lr.at(-1))
  process.emit('SIGINT')
  await ended
  await expect(fetch(url)).rejects.toThrow()
  expect(interrupt).not.toHaveBeenCalled()
  vi.restoreAllMocks()
  const nothing = await anneal('view', resolve('docs'))
  expect(nothing).toMatchObject({ code: 1, printed: expect.stringContaining('anneal train saved') })
})

it.each([
  ['cli', 10, ['out.csv', 'lr.svg', 'onecycle.svg', 'iris.onnx']],
  ['distributed', 3, ['study/run-000003.safetensors', 'study.svg']],
])('every block of commands in docs/%s.md runs as it stands, one after the other', async (page, least, files) => {
  const blocks = [...readFileSync(`docs/${page}.md`, 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  const lines = blocks.flatMap(([, text]) => text.trim().split('\n')).filter(line => !line.startsWith('mpirun '))
  expect(lines.length).toBeGreaterThan(least)
  const before = process.cwd()
  const folder = file(`documented-${page}`)
  mkdirSync(folder)
  for (const name of ['iris.csv', 'new.csv']) copyFileSync('examples/data/iris.csv', join(folder, name))
  process.chdir(folder)
  try {
    for (const line of lines) {
      expect(line).toMatch(/^anneal /)
      const { printed, code } = await anneal(...line.split(' ').slice(1))
      expect(code, `${line}\n${printed}`).toBe(0)
    }
    for (const name of files) expect(existsSync(name), name).toBe(true)
  } finally {
    process.chdir(before)
  }
})

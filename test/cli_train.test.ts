/** The commands around a model from a table: train, predict, evaluate; in this process, but for Ctrl-C. */

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { data, io, random } from 'anneal'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { interruptible, shellCommand } from '../src/cli/interrupts.js'
import { anneal } from './helpers/command.js'

const root = mkdtempSync(join(tmpdir(), 'anneal-train-'))
const file = (name: string) => join(root, name)
const example = (name: string) => resolve('examples/data', `${name}.csv`)
afterAll(() => rmSync(root, { recursive: true }))

/** What `anneal train … --json` says. */
async function train(table: string, target: string, ...args: string[]) {
  const { stdout, code, printed } = await anneal('train', table, '--target', target, '--quiet', '--json', ...args)
  expect(code, printed).toBe(0)
  return JSON.parse(stdout)
}

const customers = file('customers.csv')
const houses = file('houses.csv')

/** Customers with numbers, categories, booleans and dates, some missing; houses with prices of a large unit. */
beforeAll(async () => {
  const rs = new random.RandomState(7)
  const sometimes = <T>(value: T) => (rs.rand() < 0.06 ? null : value)
  const appeal: Record<string, number> = { Bern: 2, 'Rome, Italy': -2 }
  const rows = Array.from({ length: 400 }, (_, i) => {
    const [age, city] = [rs.normal(45, 12), rs.rand() < 0.5 ? 'Bern' : 'Rome, Italy']
    const buys = (age - 45) / 12 + appeal[city] + rs.normal(0, 0.3) > 0 ? 'yes' : 'no'
    const [member, since] = [rs.rand() < 0.5, new Date(86_400_000 * i)]
    const told = { age: sometimes(age), city: sometimes(city), member: sometimes(member) }
    return { id: i + 1, name: `p${rs.randint(0, 1e6)}`, since, ...told, buys: sometimes(buys) }
  })
  await data.writeTable(customers, data.tableFrom(rows))
  const prices = Array.from({ length: 300 }, () => {
    const [area, rooms] = [rs.normal(100, 30), rs.randint(1, 7)]
    return { area, rooms, price: 200_000 + 3000 * area + 20_000 * rooms + rs.normal(0, 5000) }
  })
  await data.writeTable(houses, data.tableFrom(prices))
})

describe('train', () => {
  it('reaches 0.95 on iris as the mean of ten seeds with default settings', async () => {
    const accuracies: number[] = []
    for (let seed = 0; seed < 10; seed++) {
      const { scores, rows, engine } = await train(
        example('iris'),
        'species',
        '--seed',
        `${seed}`,
        '--out',
        file('iris'),
      )
      expect([rows, engine]).toEqual([{ train: 120, validation: 30 }, 'plan'])
      accuracies.push(scores.figures.accuracy)
    }
    const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / 10
    expect(mean, String(accuracies)).toBeGreaterThanOrEqual(0.95)
  })

  it.each([
    ['wine', 'cultivar', 3],
    ['breast_cancer', 'diagnosis', 2],
    ['digits', 'digit', 10],
  ])('%s: classes told from the target, learned well', async (name, target, classes) => {
    const { task, labels, scores } = await train(example(name), target, '--out', file(name))
    expect([task, labels.length]).toEqual(['classification', classes])
    expect(scores.figures.accuracy).toBeGreaterThan(0.92)
    expect(scores.figures.rocAuc).toBeGreaterThan(0.97)
  })

  it('leaves a folder with the model, its history, pictures and a page', async () => {
    const { pictures, epochs, updates } = await train(example('iris'), 'species', '--out', file('whole'))
    const names = readdirSync(file('whole')).sort()
    const expected = ['accuracy.svg', 'checkpoints', 'errors.svg', 'history.json', 'loss.svg', 'lr.svg']
    expect(names).toEqual([...expected, 'model.safetensors', 'report.html', 'settings.json'])
    expect(pictures).toHaveLength(5)
    const history = JSON.parse(readFileSync(file('whole/history.json'), 'utf8'))
    expect([history.trainLoss.length, history.lr.length]).toEqual([epochs, updates])
    const { labels, preprocessing } = await io.load(file('whole/model.safetensors'))
    expect(labels).toEqual(['setosa', 'versicolor', 'virginica'])
    expect(preprocessing!.nFeaturesIn).toBe(4)
    expect(readFileSync(file('whole/report.html'), 'utf8')).toContain('Validation: accuracy')
  })

  it('missing values, categories, booleans; what names rows is left out; rows without the target too', async () => {
    const { inputs, rows, scores } = await train(customers, 'buys', '--out', file('customers'))
    expect(inputs.numbers).toEqual(['age', 'member'])
    expect(inputs.categories).toEqual(['city'])
    expect(inputs.left).toMatchObject({ id: 'row numbers', since: 'dates', name: expect.stringContaining('texts') })
    expect(rows.train + rows.validation).toBeLessThan(390)
    expect(scores.figures.accuracy).toBeGreaterThan(0.85)
  })

  it('regression: the saved model predicts in the unit of the target', async () => {
    const { task, scores } = await train(houses, 'price', '--out', file('houses'))
    expect(task).toBe('regression')
    expect(scores.figures.r2).toBeGreaterThan(0.95)
    expect((await anneal('evaluate', file('houses'), houses)).printed).toMatch(/^300 rows: r2 0\.9/)
    const { printed } = await anneal('predict', file('houses'), houses)
    const prices = printed
      .trim()
      .split('\n')
      .slice(1)
      .map(line => Number(line.split(',').at(-1)))
    expect(prices.reduce((sum, price) => sum + price, 0) / 300).toBeGreaterThan(400_000)
  })

  it('--lr auto, other optimizers and schedules, no hidden layer, no validation, patience', async () => {
    const out = ['--out', file('other'), '--epochs', '20']
    const { lr } = await train(
      example('wine'),
      'cultivar',
      '--lr',
      'auto',
      '--optimizer',
      'sgd',
      '--scheduler',
      'cosine',
      ...out,
    )
    expect(lr).toBeGreaterThan(1e-4)
    const linear = ['--hidden', 'none', '--optimizer', 'lion', '--scheduler', 'plateau', '--val', '0', '--lr', '1e-3']
    const { scores, rows } = await train(example('wine'), 'cultivar', ...linear, ...out)
    expect([scores, rows]).toEqual([null, { train: 178, validation: 0 }])
    expect(readdirSync(file('other'))).not.toContain('errors.svg') // of the run before
    const patient = ['--patience', '3', '--epochs', '500', '--scheduler', 'none', '--out', file('other')]
    const { epochs } = await train(example('wine'), 'cultivar', ...patient)
    expect(epochs).toBeLessThan(200)
  })

  it('equal settings give equal files', async () => {
    await train(customers, 'buys', '--epochs', '5', '--out', file('a'))
    await train(customers, 'buys', '--epochs', '5', '--out', file('b'))
    for (const name of ['model.safetensors', 'history.json', 'loss.svg'])
      expect(readFileSync(join(file('a'), name)).equals(readFileSync(join(file('b'), name))), name).toBe(true)
  })

  it.each([
    [['nowhere.csv', '--target', 'y'], /^anneal: ENOENT/, 1],
    [[example('iris'), '--target', 'specis'], /expected a column among .*"species" but received "specis"/, 1],
    [[example('iris')], /required option '--target <column>' not specified/, 2],
    [[example('iris'), '--target', 'species', '--task', 'regression'], /expected numbers in "species"/, 1],
    [[example('iris'), '--target', 'species', '--hidden', '64,x'], /Expected an integer from 1/, 2],
    [[example('iris'), '--target', 'species', '--optimizer', 'adamm'], /Allowed choices are/, 2],
    [[example('iris'), '--target', 'species', '--columns', 'a=b'], /Expected NAME=TYPE/, 2],
    [[example('iris'), '--target', 'species', '--val', '1'], /Expected a number at least 0 and below 1/, 2],
  ])('%j is refused in one line', async (args, message, expected) => {
    const { printed, code } = await anneal('train', ...args, '--out', file('refused'))
    expect(code).toBe(expected)
    expect(printed).toMatch(message)
    if (code === 1) expect(printed.trim().split('\n')).toHaveLength(1)
    expect(existsSync(file('refused'))).toBe(false)
  })
})

describe('predict', () => {
  it('writes the column, beside the others as they were', async () => {
    const rows = readFileSync(example('iris'), 'utf8').trim().split('\n')
    writeFileSync(file('new.csv'), rows.map(row => row.slice(0, row.lastIndexOf(','))).join('\n'))
    await train(example('iris'), 'species', '--out', file('iris'))
    const { printed } = await anneal('predict', file('iris'), file('new.csv'), '-o', file('out.csv'))
    expect(printed).toContain('150 rows with species in')
    const written = readFileSync(file('out.csv'), 'utf8').trim().split('\n')
    expect(written[0]).toBe(rows[0])
    expect(written.filter((row, i) => row === rows[i]).length).toBeGreaterThan(140)
    const { stdout } = await anneal('predict', file('iris'), example('iris'), '--json', '--probabilities')
    const { column, predicted_species, predicted_species_setosa } = JSON.parse(stdout)
    expect([column, predicted_species.length]).toEqual(['predicted_species', 150])
    expect(predicted_species_setosa[0]).toBeGreaterThan(0.9)
  })

  it('takes categories that were not seen, missing values and columns in another order', async () => {
    await train(customers, 'buys', '--out', file('customers'))
    writeFileSync(file('strange.csv'), 'city,member,more,age\nParis,true,1,40\n,false,2,\nBern,,3,70\n')
    const { stdout, code } = await anneal(
      'predict',
      file('customers'),
      file('strange.csv'),
      '--json',
      '--column',
      'answer',
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout).answer).toEqual([expect.any(String), expect.any(String), 'yes'])
  })

  it('says in one line what is missing', async () => {
    const absent = await anneal('predict', file('nothing'), example('iris'))
    expect(absent).toMatchObject({ code: 1, printed: expect.stringMatching(/expected a trained model .*anneal train/) })
    const other = await anneal('predict', file('iris'), example('wine'))
    expect(other).toMatchObject({ code: 1, printed: expect.stringContaining('expected the columns "sepal_length"') })
    writeFileSync(file('labels.csv'), readFileSync(example('iris'), 'utf8').replace('setosa', 'rose'))
    const unknown = await anneal('evaluate', file('iris'), file('labels.csv'))
    expect(unknown).toMatchObject({ code: 1, printed: expect.stringContaining('but received rose') })
  })
})

it('evaluate prints scores and the confusion matrix', async () => {
  await train(example('iris'), 'species', '--out', file('iris'))
  const { printed } = await anneal('evaluate', file('iris'), example('iris'))
  expect(printed).toMatch(/^150 rows: accuracy 0\.9\d+, /)
  expect(printed).toMatch(/^setosa +50 +0 +0$/m)
  const { figures, confusionMatrix } = JSON.parse(
    (await anneal('evaluate', file('iris'), example('iris'), '--json')).stdout,
  )
  const right = confusionMatrix.reduce((sum: number, row: number[], i: number) => sum + row[i], 0)
  expect(right / 150).toBe(figures.accuracy)
})

describe('Ctrl-C', () => {
  const args = (out: string) => [
    'train',
    example('iris'),
    '--target',
    'species',
    '--epochs',
    '1500',
    '--out',
    file(out),
  ]

  /** Runs the command in a process of its own, which is sent SIGINT when it has shown some progress. */
  function run(
    command: string[],
    interrupt: number,
  ): Promise<{ code: number | null; signal: string | null; said: string }> {
    const child = spawn(process.execPath, ['dist/cli/main.js', ...command], { stdio: ['ignore', 'ignore', 'pipe'] })
    let [said, sent] = ['', 0]
    child.stderr.on('data', text => {
      said += text
      if (said.includes('steps/s') && sent++ < interrupt) child.kill('SIGINT')
    })
    return new Promise(done => child.on('close', (code, signal) => done({ code, signal, said })))
  }

  it('saves, says how to go on, and that ends with the bits of a run that nobody interrupted', async () => {
    const [whole, interrupted] = await Promise.all([run(args('whole'), 0), run(args('cut'), 1)])
    expect(whole.code, whole.said).toBe(0)
    expect(interrupted.code, interrupted.said).toBe(130)
    expect(interrupted.said).toMatch(/interrupted after \d+ updates, \d+ of 1500 epochs; saved in/)
    const again = interrupted.said.trim().split('\n').at(-1)!
    expect(again).toBe(`go on with: ${shellCommand([...args('cut'), '--resume'])}`)
    expect((await anneal('predict', file('cut'), example('iris'))).printed).toContain('an interrupted run')
    expect((await anneal(...args('cut'), '--resume', '--lr', '0.1')).printed).toContain('--lr 0.01 as in the run')
    expect((await run([...args('cut'), '--resume', '--quiet'], 0)).code).toBe(0)
    for (const name of ['model.safetensors', 'history.json'])
      expect(readFileSync(join(file('cut'), name)).equals(readFileSync(join(file('whole'), name))), name).toBe(true)
  })
})

it('a second Ctrl-C finds nobody listening, so that it ends the process', async () => {
  const before = process.listenerCount('SIGINT')
  const aborted = interruptible(async signal => {
    expect(process.listenerCount('SIGINT')).toBe(before + 1)
    process.emit('SIGINT')
    expect(process.listenerCount('SIGINT')).toBe(before)
    return signal.aborted
  })
  expect(await aborted).toBe(true)
})

it('a command line that a shell reads as it was', () => {
  vi.stubEnv('npm_command', '')
  expect(shellCommand(['train', "it's here.csv", '--lr', '0.1', ''])).toBe(
    `anneal train 'it'\\''s here.csv' --lr 0.1 ''`,
  )
})

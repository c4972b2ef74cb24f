/** The job files of examples/cluster: their syntax, what they say of shards, and the study of each run for real. */

import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { shardOf } from '../src/train/shard.js'

const folder = resolve('examples/cluster')
const files = readdirSync(folder)
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const scratch = mkdtempSync(join(tmpdir(), 'anneal-cluster-'))
afterAll(() => rmSync(scratch, { recursive: true }))

interface Pods {
  template: { spec: { containers: { command: string[]; args: string[] }[] } }
}

/** As much of the job files as is looked at. */
interface JobFile {
  apiVersion: string
  kind: string
  spec: Pods & {
    completions: number
    slotsPerWorker: number
    mpiReplicaSpecs: { Launcher: Pods; Worker: Pods & { replicas: number } }
  }
}

const containerOf = ({ template }: Pods) => template.spec.containers[0]

const command = resolve('dist/cli/main.js')
/** `anneal ...args` as users run it. */
const anneal = (...args: string[]) => spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' })

/** The documents of a YAML file; what the parser warns of is a fault. */
function documents(name: string): JobFile[] {
  return parseAllDocuments(read(name)).map(document => {
    expect([...document.errors, ...document.warnings]).toEqual([])
    return document.toJS()
  })
}

/** The options that Slurm reads: those before the first command. */
function slurmOptions(name: string): Record<string, string> {
  const head = /^(?:#.*\n|\n)*/.exec(read(name))![0]
  const all = [...read(name).matchAll(/^#SBATCH --([\w-]+)(?:=(\S+))?$/gm)]
  const options = [...head.matchAll(/^#SBATCH --([\w-]+)(?:=(\S+))?$/gm)]
  expect(options).toHaveLength(all.length)
  return Object.fromEntries(options.map(([, option, value = '']) => [option, value]))
}

describe('syntax', () => {
  const scripts = files.filter(name => /\.(sh|slurm)$/.test(name))
  it('of shell scripts', () => {
    expect(scripts).toEqual(['study.slurm', 'train.sh', 'train.slurm'])
    for (const name of scripts) execFileSync('bash', ['-n', join(folder, name)])
  })

  it('of YAML, each document of a kind that the cluster knows', () => {
    const kinds = files.filter(name => name.endsWith('.yaml')).flatMap(documents)
    expect(kinds.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      'v1 PersistentVolumeClaim',
      'batch/v1 Job',
      'kubeflow.org/v2beta1 MPIJob',
    ])
  })

  it('of the Dockerfile: instructions and their continuations only', () => {
    const lines = read('Dockerfile')
      .split('\n')
      .filter(line => !/^(#.*)?$/.test(line))
    for (const line of lines) expect(line).toMatch(/^(FROM|RUN|WORKDIR|COPY|USER|CMD) \S|^ {2}&& /)
  })
})

it('the training files ask for as many ranks as there are machines', () => {
  expect(slurmOptions('train.slurm')).toMatchObject({ nodes: '4', 'ntasks-per-node': '1', requeue: '' })
  const [{ spec }] = documents('train.yaml')
  const { Launcher, Worker } = spec.mpiReplicaSpecs
  const launch = containerOf(Launcher).command
  expect(Number(launch[launch.indexOf('-np') + 1])).toBe(Worker.replicas * spec.slotsPerWorker)
})

it('the table of when training over MPI pays is that of its formula', () => {
  const text = readFileSync('docs/distributed.md', 'utf8')
  expect(text).toContain('0.75 · m · BW / F')
  const table = /\| network \|([\s\S]*?)\n\n/.exec(text)![1]
  const [head, , ...rows] = table.split('\n').map(line => line.split('|').map(cell => cell.trim()))
  const counts = head.map(Number).filter(count => count > 0)
  expect([counts, rows.length]).toEqual([[64, 256, 1024, 4096], 5])
  for (const [, network, ...cells] of rows) {
    const bytes = (Number.parseFloat(network) / 8) * 1e9
    const shown = cells.slice(0, counts.length).map(Number)
    const ratios = counts.map(rows => (0.75 * rows * bytes) / 1e12)
    for (const [i, ratio] of ratios.entries()) expect(Math.abs(shown[i] - ratio)).toBeLessThan(0.06 * ratio)
    expect(Number(cells[counts.length])).toBe(Math.round(1e12 / (0.75 * bytes)))
  }
})

describe('the study', () => {
  const tasks = 16

  it('as a Slurm array: a task does its runs, and is told its place by the environment alone', () => {
    const { array } = slurmOptions('study.slurm')
    expect(array).toBe(`0-${tasks - 1}`)
    const work = join(scratch, 'slurm')
    const bin = join(work, 'bin')
    mkdirSync(bin, { recursive: true })
    copyFileSync('examples/data/iris.csv', join(work, 'iris.csv'))
    const shims = {
      srun: '[[ $1 == --cpus-per-task=8 ]] && shift && exec "$@"',
      npx: `shift; exec node ${command} "$@"`,
    }
    for (const [name, line] of Object.entries(shims))
      writeFileSync(join(bin, name), `#!/usr/bin/env bash\n${line}\n`, { mode: 0o755 })
    const variables = { ID: 5, MIN: 0, MAX: tasks - 1, STEP: 1, COUNT: tasks }
    const env: NodeJS.ProcessEnv = { ...process.env, PATH: `${bin}:${process.env.PATH}`, SLURM_CPUS_PER_TASK: '8' }
    for (const [name, value] of Object.entries(variables)) env[`SLURM_ARRAY_TASK_${name}`] = String(value)
    execFileSync('bash', [join(folder, 'study.slurm')], { cwd: work, env })
    const done = readdirSync(join(work, 'study'))
    expect(done).toEqual([5, 21, 37, 53, 69, 85].map(index => `run-${String(index).padStart(6, '0')}.safetensors`))
  })

  it('as an Indexed Job: the same study, whose pods are told how many they are', () => {
    const [, { spec }] = documents('study.yaml')
    expect(spec).toMatchObject({ completionMode: 'Indexed', completions: tasks })
    const { args: given } = containerOf(spec)
    expect(() => shardOf('sweep', undefined, { JOB_COMPLETION_INDEX: '3' })).toThrow('shard.count')
    const args = given.map(arg => arg.replace('$(JOB_COMPLETION_INDEX)', '3'))
    expect(args[args.indexOf('--shard') + 1]).toBe(`3/${tasks}`)
    const grid = (text: string) => /--lr[^&]*/.exec(text)![0].trim().split(/\s+/)
    expect(grid(given.join(' '))).toEqual(grid(read('study.slurm')))
    const dir = join(scratch, 'kubernetes')
    args[args.indexOf('--dir') + 1] = dir
    args[args.indexOf('iris.csv')] = 'examples/data/iris.csv'
    expect(anneal(...args)).toMatchObject({ status: 0 })
    expect(readdirSync(dir)).toHaveLength(6)
    const { status, stderr } = anneal('sweep-merge', dir)
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('all 96 runs but received 6; missing: 0-2, 4-18, 20-'),
    ])
  })
})

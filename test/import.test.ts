/** What `import 'anneal'` costs, of the compiled package in processes of its own: files, memory, time. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as anneal from 'anneal'
import { expect, it } from 'vitest'

const entry = resolve(import.meta.dirname, '../dist/index.js')

/** The files that loading one loads: what it imports, and what that does. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^'"\n]*["'](\.[^"']*)["']/gm)
  for (const [, path] of imports) loadedBy(join(dirname(file), path), seen)
  return seen
}

it('few files', () => {
  const files = loadedBy(entry)
  expect(files.size).toBeGreaterThan(3)
  expect(files.size).toBeLessThan(15)
})

/** What a process measures of its import of the package, and the time that it computed before: Node's own start. */
function measured(): { start: number; cpu: number; ms: number; mb: number; names: string[] } {
  const program = `
    import { existsSync, readFileSync } from 'node:fs'
    const status = '/proc/self/status'
    // Its own memory: pages of Node's executable that it touches are everybody's.
    const own = () =>
      existsSync(status) ? /RssAnon:\\s+(\\d+)/.exec(readFileSync(status, 'utf8'))[1] * 1024 : process.memoryUsage.rss()
    const [memory, cpu, began] = [own(), process.cpuUsage(), performance.now()]
    const anneal = await import(${JSON.stringify(pathToFileURL(entry).href)})
    const ms = performance.now() - began
    const sum = ({ user, system }) => (user + system) / 1000
    const [start, importing] = [sum(cpu), sum(process.cpuUsage(cpu))]
    const mb = (own() - memory) / 2 ** 20
    console.log(JSON.stringify({ start, ms, cpu: importing, mb, names: Object.keys(anneal) }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

it("the public names alone, at most 15 MB, and at most 2.5 times what Node's own start computes", () => {
  const runs = Array.from({ length: 5 }, measured)
  for (const { names } of runs) expect(names.sort()).toEqual(Object.keys(anneal).sort())
  const least = (key: 'start' | 'ms' | 'mb' | 'cpu') => Math.min(...runs.map(run => run[key]))
  console.log(
    `import: ${least('ms').toFixed(0)} ms, of which computed ${least('cpu').toFixed(0)}, ${least('mb').toFixed(1)} MB; ` +
      `Node computed ${least('start').toFixed(0)} ms before`,
  )
  expect(least('mb')).toBeLessThan(15)
  // Machines differ, and others on them take caches away by the minute: Node's own start, which is work of the same
  // kind in the same process, says how fast this one is. 1.2 to 2.1 times it were seen, of the least of some runs.
  expect(least('cpu') / least('start')).toBeLessThan(2.5)
})

/** An example run as a reader runs it, what it prints and writes kept. Not a test. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'

export interface ExampleRun {
  /** Where it wrote. */
  out: string
  printed: string
  remove(): Promise<void>
}

/** Runs what `load` imports with `--out` set to a new folder. */
export async function runExample(name: string, load: () => Promise<unknown>): Promise<ExampleRun> {
  const out = await mkdtemp(join(tmpdir(), `anneal-${name}-`))
  const argv = process.argv
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation(text => void lines.push(String(text)))
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(text => lines.push(String(text).trimEnd()) > 0)
  process.argv = [argv[0], `${name}.js`, '--out', out]
  try {
    await load()
  } finally {
    process.argv = argv
    log.mockRestore()
    write.mockRestore()
  }
  return { out, printed: lines.join('\n'), remove: () => rm(out, { recursive: true, force: true }) }
}

/** Runs the command `anneal` in this process. Not a test. */

import { vi } from 'vitest'

/** What a command printed, where, and its exit code. */
export interface Outcome {
  /** Both streams, in order, by lines. */
  printed: string
  stdout: string
  code: number
}

/** `anneal ...args`, with the modules as they are mocked at present. */
export async function anneal(...args: string[]): Promise<Outcome> {
  const [all, out] = [[] as string[], [] as string[]]
  const line = (text: unknown) => all.push(String(text).replace(/\n$/, '')) > 0
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(text => {
      line(text)
      out.push(String(text))
    }),
    vi.spyOn(console, 'error').mockImplementation((...texts) => void line(texts.join(' '))),
    vi.spyOn(process.stdout, 'write').mockImplementation(line),
    vi.spyOn(process.stderr, 'write').mockImplementation(line),
  ]
  process.exitCode = undefined
  try {
    const { run } = await import('../../src/cli/program.js')
    await run(args)
    return { printed: all.join('\n'), stdout: out.join('\n'), code: Number(process.exitCode ?? 0) }
  } finally {
    for (const spy of spies) spy.mockRestore()
    process.exitCode = undefined
  }
}

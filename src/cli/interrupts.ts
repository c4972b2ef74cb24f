/** Ctrl-C during work that can end in good order: the first asks it to end, a second ends the process at once. */

const signals = ['SIGINT', 'SIGTERM'] as const

/** Runs `work` with a signal that aborts when the process is asked to end. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const release = () => {
    for (const signal of signals) process.off(signal, stop)
  }
  // With nobody listening any more, the next signal does what signals do.
  const stop = () => {
    release()
    controller.abort()
  }
  for (const signal of signals) process.on(signal, stop)
  try {
    return await work(controller.signal)
  } finally {
    release()
  }
}

/** A run that was ended in good order; its message says how to go on. */
export class Interrupted extends Error {}

const plain = /^[\w@%+=:,./-]+$/

/** A command line that a shell reads as these arguments. */
export function shellCommand(args: readonly string[]): string {
  const quoted = args.map(arg => (plain.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`))
  return [process.env.npm_command === 'exec' ? 'npx anneal' : 'anneal', ...quoted].join(' ')
}

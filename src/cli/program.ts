/**
 * A command line from its arguments to its exit code: 0 done, 1 failed, 2 not understood, 130 interrupted. Not here: the
 * commands (commands.ts).
 */

import { Command, CommanderError } from 'commander'
import { commands } from './commands.js'
import { Interrupted } from './interrupts.js'
import { readPackage } from './package_json.js'

/** All commands by name, and the one that is asked for with all it takes: nothing else of the library is loaded. */
async function programFor(args: readonly string[]): Promise<Command> {
  const { version, description } = readPackage()
  const program = new Command('anneal')
    .description(description)
    .version(version)
    .showHelpAfterError('anneal --help says more')
    .exitOverride()
  const words = args.filter(arg => !arg.startsWith('-'))
  const asked = words[0] === 'help' ? words[1] : words[0]
  for (const { name, about, load } of commands) {
    const command = program.command(name).description(about).showHelpAfterError(`anneal ${name} --help says more`)
    if (name === asked) (await load()).define(command)
  }
  return program
}

/** Runs a command line; its outcome is the process's exit code. */
export async function run(args: readonly string[]): Promise<void> {
  try {
    await (await programFor(args)).parseAsync(args, { from: 'user' })
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** Tells people what went wrong, in one line where it is not a fault of this program's; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // commander has said it
  if (error instanceof Interrupted) {
    console.error(error.message)
    return 130
  }
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException
  if (code === 'ERR_ADDON_LOAD')
    console.error('anneal: no native binary loads on this machine. Next: anneal doctor says why and what to do')
  else if (code !== undefined) console.error(`anneal: ${message}`)
  else console.error(error, `\nThis is a fault of anneal's: ${readPackage().bugs}`)
  return code === 'ERR_ABORTED' ? 130 : 1
}

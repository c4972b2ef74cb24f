#!/usr/bin/env node
/** The command `anneal`: reads the command line and hands over. Every command is a file of its own. */

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addBuild } from './build.js'

const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
  description: string
}

const program = new Command('anneal')
  .description(description)
  .version(version)
  .showHelpAfterError('anneal --help says more')
addBuild(program)

try {
  // The other commands load the library, which fails without a binary: building one must not.
  if (process.argv[2] !== 'build') {
    const [{ addValidate }, { addBench }] = await Promise.all([import('./validate.js'), import('./bench.js')])
    addValidate(program)
    addBench(program)
  }
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error && 'code' in error ? error.message : error)
  process.exitCode = 1
}

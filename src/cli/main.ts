#!/usr/bin/env node
/** The command `anneal`: reads the command line and hands over. Every command is a file of its own. */

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addBench } from './bench.js'
import { addValidate } from './validate.js'

const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
  description: string
}

const program = new Command('anneal')
  .description(description)
  .version(version)
  .showHelpAfterError('anneal --help says more')
addValidate(program)
addBench(program)

try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error && 'code' in error ? error.message : error)
  process.exitCode = 1
}

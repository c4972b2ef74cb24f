#!/usr/bin/env node
/** The command `anneal`. All it does is in program.ts. */

import { run } from './program.js'

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  process.exit()
})

await run(process.argv.slice(2))

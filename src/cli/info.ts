/** `anneal info`: what runs here. It works without a binary. Not here: whether that is well (doctor.ts). */

import type { Command } from 'commander'
import { inspectMachine, type Machine } from './machine.js'

function linesOf({ version, node, system, libc, cpu, processors, binary, backends, peers }: Machine): string[] {
  const rows: [string, string][] = [
    ['anneal', version],
    ['Node', node],
    ['system', [system, libc].filter(Boolean).join(', ')],
    ['CPU', `${cpu}, ${processors} processor(s) for this process`],
    ['binary', binary.loads ? `${binary.isa}, ${binary.threads} thread(s)` : 'none that loads: anneal doctor says why'],
    ['backends', backends.join(', ') || 'none'],
    ...peers.map(({ name, installed, purpose }): [string, string] => [name, installed ?? `not installed (${purpose})`]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`)
}

async function info({ json }: { json?: boolean }): Promise<void> {
  const machine = await inspectMachine()
  console.log(json ? JSON.stringify(machine, null, 2) : linesOf(machine).join('\n'))
}

const help = `
Examples:
  anneal info
  anneal info --json > machine.json    for a bug report`

export function define(command: Command): void {
  command.option('--json', 'as one JSON object').addHelpText('after', help).action(info)
}

/** What a result needs to be understood later: processor, system, versions. No measuring here. */
import { existsSync, readFileSync } from 'node:fs'
import { cpus, loadavg, platform, release, totalmem } from 'node:os'
import { info } from 'anneal'

export interface Machine {
  cpu: string
  /** Instruction set and caches, as far as this package knows them; figures published before it did have none. */
  cpuClass?: string
  cores: number
  memoryGB: number
  system: string
  node: string
  /** Load average of the last minute: other work on the machine shows here. */
  load: number
}

export function describeMachine(): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cpuClass: info.cpuClass,
    cores: all.length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.versions.node,
    load: loadavg()[0],
  }
}

/** Numbers in a list such as `0-2,5`. */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap(part => {
    const [first, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

/** The processors this process may run on, as numbers; on systems that do not say, all of them. */
export function allowedCpus(): number[] {
  const status = '/proc/self/status'
  const line = existsSync(status) && /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync(status, 'utf8'))
  return line ? parseCpuList(line[1]) : cpus().map((_, i) => i)
}

/** The list of commands: a new one is a file and a line here. Each is loaded when it is asked for, and only then. */

import type { Command } from 'commander'

/** What the file of a command offers: its options, examples and action, put into the command. */
export interface CommandFile {
  define(command: Command): void
}

export interface CommandEntry {
  readonly name: string
  /** One line of `anneal --help`. */
  readonly about: string
  readonly load: () => Promise<CommandFile>
}

export const commands: readonly CommandEntry[] = [
  { name: 'train', about: 'train a model on a table', load: () => import('./train.js') },
  { name: 'predict', about: 'add the predicted column to a table', load: () => import('./predict.js') },
  { name: 'evaluate', about: 'say how good a model is for a table', load: () => import('./evaluate.js') },
  { name: 'lr-find', about: 'find a learning rate by a range test', load: () => import('./lr_find.js') },
  { name: 'sweep', about: 'train over lists of settings, best first', load: () => import('./sweep.js') },
  { name: 'sweep-merge', about: 'rank the runs that shards of a sweep left', load: () => import('./sweep_merge.js') },
  { name: 'schedule', about: 'show the rates of a schedule', load: () => import('./schedule.js') },
  { name: 'export', about: 'write a trained model as ONNX', load: () => import('./export.js') },
  { name: 'view', about: 'show finished runs side by side on a page', load: () => import('./view.js') },
  { name: 'info', about: 'what runs here: versions, CPU, binary, packages', load: () => import('./info.js') },
  { name: 'doctor', about: 'what would stop this machine, and what to do', load: () => import('./doctor.js') },
  {
    name: 'validate',
    about: 'compare kernels, optimizers and training runs of the backends with float64',
    load: () => import('./validate.js'),
  },
  { name: 'bench', about: 'time kernels, updates and fits of the backends', load: () => import('./bench.js') },
  {
    name: 'build',
    about: 'compile the native addon from the sources in this package',
    load: () => import('./build.js'),
  },
]

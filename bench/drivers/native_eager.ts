/** The eager loop on the native kernels. */
import type { Trial } from '../trials.js'
import { lectureLoaders, version } from './anneal.js'
import { readRequest } from './driver.js'
import { lecture, measureSteps } from './eager_loop.js'
import { timeLecture } from './lecture.js'

const { trial, seconds } = readRequest<Trial>()
if (trial.kind === 'step') await measureSteps(trial, seconds)
if (trial.kind === 'lecture') {
  const loaders = lectureLoaders(trial)
  await timeLecture(trial, version, decay => lecture(trial, loaders, decay))
}

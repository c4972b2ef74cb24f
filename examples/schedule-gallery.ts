/**
 * Draws every schedule of `lrScheduler`: the pictures of docs/schedules.md. Configurations and size of the pictures are
 * in lib/schedule_gallery.ts.
 *
 * node build/js/examples/schedule-gallery.js [--out DIR]     writes into docs/ unless told otherwise
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { outFolder } from './lib/out_folder.js'
import { drawSchedule, galleryFile, scheduleGallery } from './lib/schedule_gallery.js'

const folder = outFolder('docs')
for (const entry of scheduleGallery) {
  const file = join(folder, galleryFile(entry.name))
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, (await drawSchedule(entry)).svg)
  console.log(file)
}

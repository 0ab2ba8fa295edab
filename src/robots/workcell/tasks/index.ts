/** @file The tasks of the workcell: every file of this folder is one, under its file's name. */
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Task } from './task.ts'

const BESIDES = ['index.ts', 'task.ts']
const files = readdirSync(fileURLToPath(new URL('.', import.meta.url))).filter((file) => !BESIDES.includes(file))
const loaded = await Promise.all(
  files.map(async (file): Promise<[string, Task]> => {
    const { task } = (await import(`./${file}`)) as { task: Task }
    return [basename(file, '.ts'), task]
  }),
)

/** By name, in the order in which people see them. */
export const TASKS: Readonly<Record<string, Task>> = Object.fromEntries(
  loaded.sort(([, a], [, b]) => a.listed - b.listed),
)

export const TASK_NAMES = Object.keys(TASKS)

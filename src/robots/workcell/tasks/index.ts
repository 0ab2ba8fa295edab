/** @file The tasks of the workcell: every file of this folder is one, under its file's name. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Task } from './task.ts'

const BESIDES = ['index', 'task']
const MODULE = /^([\w-]+)\.[jt]s$/ // compiled, a declaration of its types lies beside it
const names = readdirSync(fileURLToPath(new URL('.', import.meta.url)))
  .flatMap((file) => MODULE.exec(file)?.[1] ?? [])
  .filter((name) => !BESIDES.includes(name))
const loaded = await Promise.all(
  names.map(async (name): Promise<[string, Task]> => {
    const { task } = (await import(/* @vite-ignore */ `./${name}.ts`)) as { task: Task }
    return [name, task]
  }),
)

/** By name, in the order in which people see them. */
export const TASKS: Readonly<Record<string, Task>> = Object.fromEntries(
  loaded.sort(([, a], [, b]) => a.listed - b.listed),
)

export const TASK_NAMES = Object.keys(TASKS)

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { settingNames } from '../../src/run/config.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const DEFINITIONS = ['run/config.ts', 'learn/config.ts']
const code = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !DEFINITIONS.includes(file))
  .map((file) => read(join('src', file)))
  .join('\n')

describe('settings', () => {
  it.each(settingNames())('%s is read somewhere', (setting) => {
    const last = setting.split('.').at(-1)
    expect(code).toMatch(new RegExp(`\\b${last}\\b`))
  })
})

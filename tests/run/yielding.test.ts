import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'

const YIELDING = new URL('../../src/run/yielding.ts', import.meta.url).href

/** Field 19 of /proc/<process>/task/<thread>/stat, as proc(5) counts; the name before it, in brackets, may hold blanks. */
const niceness = (stat: string) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])

it.runIf(process.platform === 'linux')(
  'lets others go before the thread that asked for it, and before no other',
  async () => {
    const asked = new Worker(
      `import { readFileSync } from 'node:fs'
     import { parentPort } from 'node:worker_threads'
     import { register } from 'tsx/esm/api'
     register()
     const { letOthersFirst } = await import(${JSON.stringify(YIELDING)})
     const yields = letOthersFirst()
     parentPort.postMessage({ yields, stat: readFileSync('/proc/thread-self/stat', 'utf8') })`,
      { eval: true, execArgv: ['--input-type=module'] },
    )
    const before = niceness(readFileSync('/proc/self/stat', 'utf8'))
    const { yields, stat } = await new Promise<{ yields: boolean; stat: string }>((resolve, reject) => {
      asked.once('message', resolve)
      asked.once('error', reject)
    })
    await asked.terminate()
    expect(yields).toBe(true)
    expect(niceness(stat)).toBe(10)
    expect(niceness(readFileSync('/proc/self/stat', 'utf8'))).toBe(before)
  },
)

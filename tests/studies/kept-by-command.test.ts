/**
 * @file What the command hands on to the workbench: where what was measured is to outlast the runs, which methods are compared,
 * and whether anything may be made.
 */
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, it, vi } from 'vitest'
import { register } from '../../src/cli/experiments.ts'
import type { WorkbenchParts } from '../../src/studies/workbench.ts'

const handed = vi.hoisted(() => [] as WorkbenchParts[])

vi.mock('../../src/studies/recipe.ts', () => ({
  Recipes: class {
    frozen = () => ({ commit: 'abc123', day: '2026-01-01' })
    refuseOtherCode = ({ commit }: { commit: string }) => {
      throw new Error(`other code than ${commit}`)
    }
    refuseMade = (what: string, version: string, { commit }: { commit: string }) => {
      throw new Error(`${what} by ${version}, not by ${commit}`)
    }
  },
}))
vi.mock('../../src/studies/workbench.ts', () => ({
  DiskWorkbench: class {
    constructor(parts: WorkbenchParts) {
      handed.push(parts)
      throw new Error('handed on')
    }
  },
}))

async function experiments(...args: string[]): Promise<WorkbenchParts> {
  const program = new Command('duet').exitOverride()
  register(program)
  const running = program.parseAsync(['experiments', 'regimes', '--docs', 'pages', ...args], { from: 'user' })
  await expect(running).rejects.toThrow('handed on')
  return handed.pop()!
}

it('keeps what is reported beside the page of results, apart for each recipe', async () =>
  expect((await experiments('--reporting')).kept).toBe(join('pages', 'results', 'runs', 'abc123')))

it('keeps nothing of what settings are chosen on', async () => expect((await experiments()).kept).toBeUndefined())

it('lets reported runs be made by the recipe alone, and others by any code', async () => {
  expect((await experiments('--reporting')).mayMake).toThrow('other code than abc123')
  expect((await experiments()).mayMake).toBeUndefined()
})

it('lets what is reported count only where the recipe made it, and anything while settings are chosen', async () => {
  const { mayCount } = await experiments('--reporting')
  expect(() => mayCount!('run a', 'v1')).toThrow('run a by v1, not by abc123')
  expect((await experiments()).mayCount).toBeUndefined()
})

it('hands on the methods that it was asked for, and none where it was not', async () => {
  expect((await experiments('--methods', 'silent,dsrl')).methods).toEqual(['silent', 'dsrl'])
  expect((await experiments()).methods).toBeUndefined()
})

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { checkSeeds, PROTOCOL } from '../../src/studies/protocol.ts'
import { Recipes, trains } from '../../src/studies/recipe.ts'
import { temporaryFolder } from './fabricated.ts'

describe('seeds', () => {
  it('and starts of tuning and reporting are others', () => {
    const { tuning, reporting } = PROTOCOL
    expect(tuning.seeds.filter((seed) => reporting.seeds.includes(seed))).toEqual([])
    expect(reporting.firstStart).toBeGreaterThan(tuning.firstStart + tuning.trials)
    expect(() => checkSeeds('tuning', tuning.seeds)).not.toThrow()
    expect(() => checkSeeds('reporting', reporting.seeds)).not.toThrow()
  })

  it('of the other purpose are refused', () => {
    expect(() => checkSeeds('tuning', [0, 15])).toThrow('training seed 15: is kept for reporting')
    expect(() => checkSeeds('reporting', [2, 12])).toThrow('training seed 2: is one that settings were chosen on')
  })
})

it('what a run comes of is part of the recipe, what only looks at runs is not', () => {
  const files = ['src/learn/dual.ts', 'src/studies/methods.ts', 'src/studies/regimes.ts', 'models/nano/config.json']
  expect(files.filter((file) => !trains(file))).toEqual([])
  expect(
    [
      'src/studies/curves.ts',
      'src/cli/eval.ts',
      'src/console/api.ts',
      'src/metrics/crossed.ts',
      'src/fleet/liaison.ts',
    ].filter(trains),
  ).toEqual([])
})

describe('a recipe', () => {
  const root = temporaryFolder()
  const docs = join(root, 'docs')
  const recipes = new Recipes(docs, root)
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd: root, encoding: 'utf8' }).trim()
  const write = (file: string, text: string) => writeFileSync(join(root, file), text)
  const commit = () => {
    git('add', '-A')
    git('commit', '-qm', 'change', '--allow-empty')
    return git('rev-parse', '--short=12', 'HEAD')
  }

  beforeEach(() => {
    rmSync(join(root, '.git'), { recursive: true, force: true })
    rmSync(docs, { recursive: true, force: true })
    for (const folder of ['docs', 'src/learn', 'src/cli']) mkdirSync(join(root, folder), { recursive: true })
    git('init', '-q')
    write('src/learn/a.ts', 'one')
    write('src/cli/b.ts', 'one')
    write('docs/page.txt', 'one')
    commit()
  })

  it('is the commit that was frozen, and holds while nothing that trains changes', () => {
    expect(() => recipes.frozen()).toThrow('recipe.json: is missing: no recipe is frozen')
    const head = git('rev-parse', '--short=12', 'HEAD')
    expect(recipes.freeze()).toEqual({ commit: head, day: new Date().toISOString().slice(0, 10) })
    expect(() => recipes.frozen()).toThrow('recipe.json: is not committed')
    commit()
    write('src/cli/b.ts', 'two')
    write('docs/page.txt', 'two')
    commit()
    expect(recipes.frozen().commit).toBe(head)
    expect(() => recipes.refuseOtherCode(recipes.frozen())).not.toThrow()
  })

  it('is frozen of commits only, and named by them', () => {
    write('src/learn/a.ts', 'two')
    expect(() => recipes.freeze()).toThrow('src/learn/a.ts: is not committed')
    git('checkout', '-q', '.')
    write('src/learn/new.ts', 'untracked')
    expect(() => recipes.freeze()).toThrow('src/learn/new.ts: is not committed')
    rmSync(join(root, 'src/learn/new.ts'))
    recipes.freeze()
    commit()
    write('docs/page.txt', 'two') // a run would note a changed version
    expect(() => recipes.refuseOtherCode(recipes.frozen())).toThrow('docs/page.txt: is not committed')
  })

  it('is left by a commit that trains otherwise, and again in force once that is frozen', () => {
    const { commit: first, day } = recipes.freeze()
    commit()
    write('src/learn/a.ts', 'two')
    const second = commit()
    expect(recipes.frozen().commit).toBe(first) // what was made by it can still be read
    expect(() => recipes.refuseOtherCode(recipes.frozen())).toThrow(
      `trains otherwise than the recipe frozen on ${day} (${first}): src/learn/a.ts`,
    )
    recipes.freeze()
    commit()
    expect(recipes.frozen().commit).toBe(second)
    expect(() => recipes.refuseOtherCode(recipes.frozen())).not.toThrow()
    expect(readFileSync(join(docs, 'recipe.json'), 'utf8')).toContain(second)
  })

  it('refuses what was made by another one, or by no commit', () => {
    const before = git('rev-parse', '--short', 'HEAD')
    write('src/learn/a.ts', 'two')
    commit()
    const recipe = recipes.freeze()
    write('docs/page.txt', 'two')
    const later = commit()
    expect(() => recipes.refuseMade('run a', later, recipe)).not.toThrow()
    expect(() => recipes.refuseMade('run a', before, recipe)).toThrow(
      `run a, made by ${before},: trains otherwise than the recipe`,
    )
    expect(() => recipes.refuseMade('run a', before, recipe)).toThrow('Delete it to have it made by the recipe')
    expect(() => recipes.refuseMade('run a', `${later}-dirty`, recipe)).toThrow('run a: was made by uncommitted code')
    expect(() => recipes.refuseMade('run a', 'nowhere', recipe)).toThrow('git diff')
  })
})

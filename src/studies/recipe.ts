/**
 * @file The frozen recipe: the commit whose training is reported. Reporting seeds are run by no other, so that the history of
 * this file shows what was decided before anybody looked at them (decision 42).
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FILE = 'recipe.json'

const Recipe = z.strictObject({ commit: z.string(), day: z.string() })
export type Recipe = z.infer<typeof Recipe>

const PATHS = ['src', 'models', 'package-lock.json']
const SHOWS = /^src\/(cli|console|review|metrics|studies|fleet)\// // what looks at runs, and what no study starts; the settings of studies train, too
const SETTINGS = /^src\/studies\/(methods|regimes)\.ts$/

/** Whether a run could come out otherwise by a change of this file of the repository. */
export const trains = (file: string) => !SHOWS.test(file) || SETTINGS.test(file)

/** Recipes of the repository at `root`, frozen in its folder `docs`. */
export class Recipes {
  constructor(
    private readonly docs: string,
    private readonly root = ROOT,
  ) {}

  /** Freezes the commit that is checked out. @throws InputError unless everything is committed */
  freeze(): Recipe {
    this.refuseChanges()
    const recipe = { commit: this.git('rev-parse', '--short=12', 'HEAD'), day: new Date().toISOString().slice(0, 10) }
    writeWhole(this.file, `${JSON.stringify(recipe, null, 2)}\n`)
    return recipe
  }

  /** What reporting seeds are run by. @throws InputError if nothing is frozen, or that is not committed */
  frozen(): Recipe {
    const remedy = 'Once settings are decided: `npx duet experiments --freeze`, and commit what it wrote'
    if (!existsSync(this.file)) throw new InputError(this.file, 'is missing: no recipe is frozen', remedy)
    const recipe = Recipe.parse(JSON.parse(readFileSync(this.file, 'utf8')))
    if (this.git('ls-files', '--', resolve(this.file)) === '')
      throw new InputError(this.file, 'is not committed', 'Commit it, so that the history shows when it was frozen')
    return recipe
  }

  /** @throws InputError if this version is not committed, or trains otherwise than the recipe: it makes no reported run */
  refuseOtherCode(recipe: Recipe): void {
    this.refuseChanges()
    const elsewhere = `Train in a clone of the recipe, and bring what it keeps in ${this.docs}/results/runs here`
    this.refuseOther('this version', 'HEAD', recipe, `${elsewhere}; or freeze another recipe and begin again`)
  }

  /** @throws InputError if the version that made something, a run or a value, trains otherwise than the recipe */
  refuseMade(what: string, version: string, recipe: Recipe): void {
    const remedy = 'Delete it to have it made by the recipe'
    if (version.endsWith('-dirty')) throw new InputError(what, `was made by uncommitted code (${version})`, remedy)
    this.refuseOther(`${what}, made by ${version},`, version, recipe, remedy)
  }

  private get file(): string {
    return join(this.docs, FILE)
  }

  private refuseOther(what: string, commit: string, recipe: Recipe, remedy: string): void {
    const differ = this.git('diff', '--name-only', commit, recipe.commit, '--', ...PATHS)
      .split('\n')
      .filter(Boolean)
    const [first, ...others] = differ.filter(trains)
    if (!first) return
    throw new InputError(
      what,
      `trains otherwise than the recipe frozen on ${recipe.day} (${recipe.commit}): ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`,
      remedy,
    )
  }

  /** A run notes the version that began it, and any file that git follows makes that a changed one. */
  private refuseChanges(): void {
    const tracked = this.git('diff', '--name-only', 'HEAD').split('\n')
    const untracked = this.git('ls-files', '--others', '--exclude-standard', '--', ...PATHS)
      .split('\n')
      .filter(trains)
    const [changed] = [...tracked, ...untracked].filter(Boolean)
    if (changed) throw new InputError(changed, 'is not committed', 'Commit it: reporting seeds are run by a commit')
  }

  /** @throws InputError where there is no repository, or it does not know what is named */
  private git(...words: string[]): string {
    try {
      return execFileSync('git', words, { cwd: this.root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
    } catch (error) {
      const said = String((error as { stderr?: unknown }).stderr ?? (error as Error).message)
        .trim()
        .split('\n')[0]
      throw new InputError(this.root, `git ${words[0]}: ${said}`, 'Reporting needs the repository with its history')
    }
  }
}

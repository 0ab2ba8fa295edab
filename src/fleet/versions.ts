/**
 * @file Which weights the robots of a fleet act with. The newest that the learner has made, unless a person has gone back to
 * earlier ones, or they have yet to pass a trial; those that went out are kept for a while, so that one can go back.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { decodeMessage } from '../link/codec.ts'
import { type FromLearner, hashOf, inSixteenBits, publishedOf, weightsMessage } from '../link/messages.ts'
import type { Published } from '../link/ports.ts'
import type { FleetFolder } from './folder.ts'
import type { FleetSettings } from './settings.ts'

const KEPT_EVERY = 60_000 // ms between two versions that are kept without a trial

const ROUNDING = 1e-9 // 0.8 - 0.6 is a little more than 0.2

/** What came of a version's trial. */
export type Trial = { successes: number; trials: number }

const VersionEntry = z.strictObject({
  version: z.int().min(0),
  hash: z.string(),
  at: z.string(), // when it was made, ISO 8601
  trial: z.strictObject({ successes: z.int(), trials: z.int() }).optional(),
})
export type VersionEntry = z.infer<typeof VersionEntry>

const Choice = z.strictObject({ version: z.int().min(0), hash: z.string(), at: z.string(), by: z.string() })
/** Earlier weights that a person wants until further notice. */
export type VersionChoice = z.infer<typeof Choice>

/** The weights of one version, tried. */
export type TryVersion = (published: Published) => Promise<Trial>

export type VersionOptions = {
  folder: FleetFolder
  settings: FleetSettings
  /** To the robots. False where they cannot be given to anybody. */
  publish: (published: Published) => boolean
  /** Only with trials. Ends with the process. */
  tryOut?: TryVersion
  say: (line: string) => void
  onFailed: (error: unknown) => void
  now?: () => number // ms, never going back
}

/** A summary for those who look on. */
export type VersionsNow = {
  newest: number | null // that the learner has made
  acting: number | null // that the robots are to act with
  chosen: VersionChoice | null
  failed: ({ version: number } & Trial) | null // the newest trial, where it was not passed
}

export class Versions {
  private newest: Published | undefined // of the learner
  private passed: Published | undefined // its newest that may go out
  private acting: Published | undefined
  private chosen: VersionChoice | null
  private best: number // share of successes of the best trial that was passed
  private failed: VersionsNow['failed'] = null
  private trying = false
  private triedAt = Number.NEGATIVE_INFINITY
  private keptAt = Number.NEGATIVE_INFINITY
  private readonly now: () => number

  /** Goes on with what a person chose before. @throws InputError if files are not what was saved */
  constructor(private readonly options: VersionOptions) {
    this.now = options.now ?? (() => performance.now())
    this.chosen = readChoice(options.folder)
    this.best = Math.max(0, ...readVersions(options.folder).map(shareOf))
    if (this.chosen) this.goBack(this.chosen)
  }

  /** What the learner has made. */
  offer(published: Published): void {
    this.newest = published
    if (this.options.tryOut) this.look()
    else this.pass(published)
  }

  /** Whether a person wants others, or a trial is due. To be called every now and then. */
  look(): void {
    const { folder, settings, tryOut } = this.options
    const chosen = readChoice(folder)
    if (chosen?.version !== this.chosen?.version || chosen?.hash !== this.chosen?.hash) this.choose(chosen)
    const due = this.now() - this.triedAt >= 60_000 * settings.canary.everyMinutes
    if (!tryOut || this.trying || !due || !this.newest || this.newest === this.passed) return
    if (this.failed?.version === this.newest.version) return
    this.trying = true
    this.triedAt = this.now()
    this.tryNewest(tryOut, this.newest).catch(this.options.onFailed)
  }

  get state(): VersionsNow {
    const { newest, acting, chosen, failed } = this
    return { newest: newest?.version ?? null, acting: acting?.version ?? null, chosen, failed }
  }

  private async tryNewest(tryOut: TryVersion, published: Published): Promise<void> {
    const trial = await tryOut(this.sentOf(published))
    this.trying = false
    const share = shareOf({ trial })
    if (this.best - share > this.options.settings.canary.drop + ROUNDING) {
      this.failed = { version: published.version, ...trial }
      const words = `${trial.successes} of ${trial.trials} trials, and the best before it ${Math.round(100 * this.best)} %`
      this.options.say(`Version ${published.version} is not given to the robots: it succeeded in ${words}.`)
      return
    }
    this.failed = null
    this.best = Math.max(this.best, share)
    this.pass(published, trial)
  }

  private pass(published: Published, trial?: Trial): void {
    this.passed = published
    if (!this.chosen) this.act(published, trial)
  }

  private act(published: Published, trial?: Trial): void {
    const back = this.acting !== undefined && published.version < this.acting.version
    const sent: Published = { ...this.sentOf(published), ...(back && { back }) }
    if (!this.options.publish(sent)) return
    this.acting = sent
    if (trial || this.now() - this.keptAt >= KEPT_EVERY) this.keep(sent, trial)
  }

  /** As the robots get it, under the hash of that: what was kept may be of a start with more bits. */
  private sentOf(published: Published): Published {
    const values = this.options.settings.bits === 16 ? inSixteenBits(published.values) : published.values
    return { ...published, values, hash: hashOf(values) }
  }

  private choose(chosen: VersionChoice | null): void {
    const { say } = this.options
    this.chosen = chosen
    if (chosen) {
      try {
        this.goBack(chosen)
        say(`The robots go back to version ${chosen.version}, as ${chosen.by} asked.`)
      } catch (error) {
        say((error as Error).message) // they act with what they have
      }
      return
    }
    say('The robots get the newest weights again.')
    if (this.passed) this.act(this.passed)
  }

  private goBack(chosen: VersionChoice): void {
    const kept = this.sentOf(readVersion(this.options.folder, chosen))
    if (this.options.publish({ ...kept, back: true })) this.acting = kept
  }

  private keep(published: Published, trial?: Trial): void {
    const { folder, settings } = this.options
    this.keptAt = this.now()
    const { version, hash = hashOf(published.values) } = published
    mkdirSync(folder.versions, { recursive: true })
    writeWhole(fileOf(folder, { version, hash }), new Uint8Array(weightsMessage({ ...published, back: undefined })))
    const entry: VersionEntry = { version, hash, at: new Date().toISOString(), ...(trial && { trial }) }
    const all = [...readVersions(folder).filter((other) => other.hash !== hash), entry]
    const best = all.findLast((one) => one.trial && shareOf(one) >= this.best) // by which the next is judged
    const kept = all.filter(
      (one, i) => i >= all.length - settings.keepVersions || one === best || one.hash === this.chosen?.hash,
    )
    writeWhole(folder.versionIndex, JSON.stringify(kept))
    const named = new Set(kept.map((one) => fileOf(folder, one)))
    for (const name of readdirSync(folder.versions)) {
      const path = join(folder.versions, name)
      if (name.endsWith(ENDING) && !named.has(path)) rmSync(path)
    }
  }
}

const shareOf = ({ trial }: Pick<VersionEntry, 'trial'>) => (trial ? trial.successes / trial.trials : 0)

const ENDING = '.weights'

const fileOf = ({ versions }: FleetFolder, { version, hash }: Pick<VersionEntry, 'version' | 'hash'>) =>
  join(versions, `${version}-${hash.slice(0, 16)}${ENDING}`)

/** Those that one can go back to, the oldest first. @throws InputError if the file is not what was saved */
export const readVersions = ({ versionIndex }: FleetFolder): VersionEntry[] =>
  existsSync(versionIndex) ? saved(versionIndex, z.array(VersionEntry)) : []

/** @throws InputError if the file is not what was saved */
export const readChoice = ({ choice }: FleetFolder): VersionChoice | null =>
  existsSync(choice) ? saved(choice, Choice) : null

/**
 * The learner, now or when it begins, gives this version to the robots until `goOnWithNewest`.
 * @throws InputError if it is not kept
 */
export function rollBack(folder: FleetFolder, version: number, by: string): VersionChoice {
  const versions = readVersions(folder)
  const entry = versions.findLast((one) => one.version === version)
  if (!entry || !existsSync(fileOf(folder, entry))) {
    const kept = versions.map((one) => one.version).join(', ')
    throw new InputError(`version ${version}`, 'is not kept', kept ? `Choose one of ${kept}` : 'None is kept yet')
  }
  const choice = { version, hash: entry.hash, at: new Date().toISOString(), by }
  writeWhole(folder.choice, JSON.stringify(choice))
  return choice
}

export const goOnWithNewest = ({ choice }: FleetFolder): void => rmSync(choice, { force: true })

function readVersion(folder: FleetFolder, entry: Pick<VersionEntry, 'version' | 'hash'>): Published {
  const path = fileOf(folder, entry)
  const damaged = (cause?: unknown) =>
    new InputError(path, 'is not the version that was kept', 'Choose another: duet fleet roll-back <run> newest', {
      cause,
    })
  let published: Published | undefined
  try {
    const message = decodeMessage<FromLearner>(new Uint8Array(readFileSync(path)).buffer)
    if (message.head.kind === 'weights') published = publishedOf(message.head, message)
  } catch (cause) {
    throw damaged(cause)
  }
  if (published?.hash !== entry.hash) throw damaged()
  return published
}

function saved<T>(path: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new InputError(path, 'is not what was saved', 'Delete it: the robots get the newest weights', { cause })
  }
}
